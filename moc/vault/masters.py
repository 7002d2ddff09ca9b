"""The master keys: they wrap each party's data key and never leave the key service."""

import base64
import binascii
import hashlib
from functools import cache
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from moc.vault.cipher import KEY_BYTES, Unreadable, decrypt, encrypt


class KeyService(Protocol):
    """What a key service must do; `about` binds what is wrapped to its place. A cloud's key service or an HSM fits behind it."""

    current: str

    def wrap(self, secret: bytes, about: bytes) -> bytes:
        """The secret under the current master key."""

    def unwrap(self, master: str, wrapped: bytes, about: bytes) -> bytes:
        """The secret, wrapped under the master key of this id. Raises Unreadable."""


class EnvironmentKeys:
    """Master keys from the environment: 32 bytes each in base64; the first is current, older ones still open what they wrapped."""

    def __init__(self, texts: list[str]):
        self._keys = {identity(key): AESGCM(key) for key in map(_decoded, texts)}
        if not self._keys:
            raise ImproperlyConfigured("MOC_MASTER_KEYS: name at least one key.")
        self.current = next(iter(self._keys))

    def wrap(self, secret: bytes, about: bytes) -> bytes:
        """The secret under the first key."""
        return encrypt(self._keys[self.current], secret, about)

    def unwrap(self, master: str, wrapped: bytes, about: bytes) -> bytes:
        """The secret. Raises Unreadable, also when the master key is no longer in the environment."""
        if master not in self._keys:
            raise Unreadable(f"The master key {master} is not among MOC_MASTER_KEYS.")
        return decrypt(self._keys[master], wrapped, about)


def identity(key: bytes) -> str:
    """A key's public name: the start of its digest."""
    return hashlib.sha256(b"moc master key" + key).hexdigest()[:16]


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ImproperlyConfigured("MOC_MASTER_KEYS: a key is not base64.") from error
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"MOC_MASTER_KEYS: a key has {len(key)} bytes, not {KEY_BYTES}.")
    return key


def service() -> KeyService:
    """The key service of the settings."""
    return _made(settings.MOC_KEY_SERVICE, tuple(settings.MOC_MASTER_KEYS))


@cache
def _made(path: str, texts: tuple[str, ...]) -> KeyService:
    return import_string(path)(list(texts))
