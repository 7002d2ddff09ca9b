"""The key that signs seals, and those that signed before. Ed25519 (RFC 8032); keys come from the environment."""

import base64
import binascii
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32


def signing() -> Ed25519PrivateKey:
    """The private key in force: MOC_SEAL_KEY."""
    return Ed25519PrivateKey.from_private_bytes(_decoded("MOC_SEAL_KEY", settings.MOC_SEAL_KEY))


def public(key: Ed25519PrivateKey) -> bytes:
    """The public half of a key, 32 bytes."""
    return key.public_key().public_bytes_raw()


def trusted() -> dict[str, bytes]:
    """Public keys by name: of the key in force first, then of those that it replaced (MOC_SEAL_FORMER_KEYS)."""
    former = (_decoded("MOC_SEAL_FORMER_KEYS", text) for text in settings.MOC_SEAL_FORMER_KEYS)
    return {identity(key): key for key in (public(signing()), *former)}


def identity(key: bytes) -> str:
    """A public key's name: the start of its digest."""
    return hashlib.sha256(b"moc seal key" + key).hexdigest()[:16]


def in_text(key: bytes) -> str:
    """A key as it is published."""
    return base64.b64encode(key).decode()


def _decoded(name: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ImproperlyConfigured(f"{name}: a key is not base64.") from error
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"{name}: a key has {len(key)} bytes, not {KEY_BYTES}.")
    return key
