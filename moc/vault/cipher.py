"""AES-256-GCM for one message and for a stream of chunks. No Django here.

A message is `nonce ‖ ciphertext ‖ tag`. What it is about (row, field, key) is associated data: in another place it does not open.
A stream is a magic word, a random prefix and chunks of CHUNK bytes; each chunk's nonce is the prefix, its number and whether it is
the last (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015): no chunk can be lost, moved or cut off unnoticed.
"""

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES, NONCE_BYTES, TAG_BYTES, CHUNK = 32, 12, 16, 1 << 16
MAGIC, PREFIX_BYTES = b"MOCSTRM1", 7


class Unreadable(Exception):
    """A ciphertext does not open: another key, another place, or changed bytes."""


def encrypt(key: AESGCM, message: bytes, about: bytes, nonce: bytes = b"") -> bytes:
    """One message with its random nonce before it; a caller that gives the nonce has just drawn it."""
    nonce = nonce or os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, message, about)


def decrypt(key: AESGCM, sealed: bytes, about: bytes) -> bytes:
    """The message. Raises Unreadable."""
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as error:
        raise Unreadable("The ciphertext does not open here.") from error


def encrypt_stream(secret: bytes, chunks: Iterable[bytes], about: bytes) -> Iterator[bytes]:
    """A stream of bytes in any pieces, encrypted; in bounded memory."""
    key, prefix = AESGCM(secret), os.urandom(PREFIX_BYTES)
    yield MAGIC + prefix
    number, waiting = 0, bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) > CHUNK:
            yield key.encrypt(_nonce(prefix, number, last=False), bytes(waiting[:CHUNK]), about)
            del waiting[:CHUNK]
            number += 1
    yield key.encrypt(_nonce(prefix, number, last=True), bytes(waiting), about)


def decrypt_stream(secret: bytes, file: BinaryIO, about: bytes) -> Iterator[bytes]:
    """The plain chunks of an encrypted stream. Raises Unreadable at the first chunk that is not what was written."""
    head = file.read(len(MAGIC) + PREFIX_BYTES)
    if not head.startswith(MAGIC):
        raise Unreadable("This is no encrypted stream.")
    key, prefix, number = AESGCM(secret), head[len(MAGIC) :], 0
    chunk = file.read(CHUNK + TAG_BYTES)
    while True:
        following = file.read(CHUNK + TAG_BYTES)
        try:
            yield key.decrypt(_nonce(prefix, number, last=not following), chunk, about)
        except (InvalidTag, ValueError) as error:
            raise Unreadable("The stream was changed or cut off.") from error
        if not following:
            return
        chunk, number = following, number + 1


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
