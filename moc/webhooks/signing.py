"""The standardwebhooks format: `webhook-id`, `webhook-timestamp` and `webhook-signature` over both and the body (HMAC-SHA-256).

Source: the Standard Webhooks specification 1.0. The id stays the same however often a message is tried; the timestamp is of the attempt.
"""

import base64
import hashlib
import hmac
import json
import secrets

PREFIX, VERSION = "whsec_", "v1"


def new_secret() -> str:
    """24 random bytes, as the format writes them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def signature(secret: str, message: str, seconds: int, body: bytes) -> str:
    """The signature of one attempt. `seconds` since 1970."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message}.{seconds}.".encode() + body
    return f"{VERSION},{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def headers(secret: str, message: str, seconds: int, body: bytes) -> dict[str, str]:
    """The headers of one attempt."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "der-registry-webhooks/1",
        "webhook-id": message,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(secret, message, seconds, body),
    }


def body_of(event, address: str) -> bytes:
    """An event as it is sent: what happened, who was told, and where to look; the facts are fetched from the API."""
    data = {"organization": event.organization.slug, "subject": event.subject, "text": event.body, "url": f"{address}{event.url}"}
    content = {"type": event.kind, "timestamp": event.created_at.isoformat(), "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
