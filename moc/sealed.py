"""Values that go out and come back unread: sealed with the platform's key, so that no row's key tells how many rows there are."""

import base64
import binascii
import hashlib
import json
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.utils.crypto import salted_hmac


@cache
def _cipher(key: str) -> AESSIV:
    return AESSIV(hashlib.sha512(b"moc.sealed" + key.encode()).digest())


def seal(values: list, purpose: str) -> str:
    """JSON values as a text for URLs: equal values give equal texts, and what was sealed for another purpose does not open."""
    sealed = _cipher(settings.SECRET_KEY).encrypt(json.dumps(values).encode(), [purpose.encode()])
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def unseal(text: str, purpose: str) -> list | None:
    """The values; None for a text that nobody was given."""
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return json.loads(_cipher(key).decrypt(sealed, [purpose.encode()]))
        except (InvalidTag, ValueError):
            continue
    return None


def mark(value: object, purpose: str) -> str:
    """A short text that stands for a value and cannot be turned back into it."""
    return salted_hmac(f"moc.sealed.{purpose}", str(value), algorithm="sha256").hexdigest()[:20]
