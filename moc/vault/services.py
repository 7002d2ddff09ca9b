"""Seal and open personal data, index it blindly, and destroy keys. Callers have asked policy.py.

Keys are read with the engine's sight: a filing is sealed under its utility's data key by whoever files it, and opened again by them.
"""

import hmac
import os
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db.models import CharField, Func

from moc import sight
from moc.errors import UserError
from moc.history import acting
from moc.vault import masters
from moc.vault.cipher import KEY_BYTES, NONCE_BYTES, decrypt, encrypt
from moc.vault.models import DataKey, SealedFacts, SubjectKey

INDEX_BYTES = 16
NOISE = 10 + KEY_BYTES + 2 * NONCE_BYTES  # the random bytes of a sealed message: of its id, its key and two nonces


class Sealed(NamedTuple):
    """A ciphertext and its key: the key's row is `subject`, `wrapped`, under the data key `data_key`."""

    subject: UUID
    data_key: int
    wrapped: bytes
    sealed: bytes


class Ring:
    """A data key, opened: wraps keys of subjects and makes blind indexes. `pk` is the data key's, `organization` its party's."""

    def __init__(self, pk: int, organization: int, secret: bytes):
        self.pk, self.organization = pk, organization
        self._wrapping = AESGCM(hmac.digest(secret, b"wrap", "sha256"))
        self._blinding = hmac.digest(secret, b"blind", "sha256")

    def blind(self, kind: bytes, text: bytes) -> bytes:
        """The keyed index of a text: equal texts of a kind have equal ones under one data key, and nothing else can be read from it."""
        return hmac.digest(self._blinding, kind + b":" + text, "sha256")[:INDEX_BYTES]

    def wrap(self, subject: UUID, secret: bytes, noise: bytes = b"") -> bytes:
        """A subject's key under this data key."""
        return encrypt(self._wrapping, secret, subject.bytes, noise)

    def unwrap(self, subject: UUID, wrapped: bytes) -> bytes:
        """A subject's key. Raises Unreadable."""
        return decrypt(self._wrapping, wrapped, subject.bytes)

    def seal(self, message: bytes, about: bytes, noise: bytes = b"") -> Sealed:
        """A message under a key of its own; nothing is written. `noise` are NOISE fresh random bytes, if drawn already."""
        noise = noise or os.urandom(NOISE)
        subject, secret = new_subject(noise[:10]), noise[10:42]
        sealed = encrypt(AESGCM(secret), message, about + subject.bytes, noise[42:54])
        return Sealed(subject, self.pk, self.wrap(subject, secret, noise[54:]), sealed)


def new_subject(noise: bytes = b"") -> UUID:
    """A random id that begins with the clock (UUID version 7, RFC 9562): new keys stand side by side in the index."""
    bits = time.time_ns() // 1_000_000 << 80 | int.from_bytes(noise or os.urandom(10), "big")
    return UUID(int=bits & ~(0xF000 << 64) & ~(0xC000 << 48) | 0x7000 << 64 | 0x8000 << 48)


@sight.engine()
def rings(organizations: Iterable[int]) -> dict[int, Ring]:
    """The current data keys of parties by the party's id; a party without one gets one."""
    wanted = set(organizations)
    found = _current(wanted)
    if missing := wanted - found.keys():
        with acting(None, "system: first personal data of a party"):
            DataKey.objects.bulk_create((new_data_key(organization) for organization in sorted(missing)), ignore_conflicts=True)
        found |= _current(missing)
    return found


def ring_of(organization: int) -> Ring:
    """The current data key of one party."""
    return rings([organization])[organization]


@sight.engine()
def former_rings(organizations: Iterable[int]) -> dict[int, Ring]:
    """The data keys that are being replaced, by the party's id; nothing for the many parties whose key does not rotate now."""
    rotating = DataKey.objects.filter(organization__in=set(organizations), is_current=False, retired_at__isnull=True)
    return {key.organization_id: ring(key) for key in rotating}


def _current(organizations: set[int]) -> dict[int, Ring]:
    """Who asks for a key to seal with is a transaction with an id from then on: rotation waits for those that hold the former key."""
    held = DataKey.objects.filter(organization__in=organizations, is_current=True)
    return {
        key.organization_id: ring(key) for key in held.annotate(transaction=Func(function="pg_current_xact_id", output_field=CharField()))
    }


def new_data_key(organization: int, **facts) -> DataKey:
    """A fresh data key of a party, wrapped by the current master key, not yet written."""
    service = masters.service()
    return DataKey(
        organization_id=organization, master=service.current, wrapped=service.wrap(os.urandom(KEY_BYTES), about_key(organization)), **facts
    )


def about_key(organization: int) -> bytes:
    """What a wrapped data key is bound to."""
    return f"data key of {organization}".encode()


def ring(key: DataKey) -> Ring:
    """A data key, opened. Raises Unreadable when its master key is missing or it was changed."""
    return _opened(masters.service(), key.pk, key.organization_id, key.master, bytes(key.wrapped))


@lru_cache(maxsize=4096)
def _opened(service, pk: int, organization: int, master: str, wrapped: bytes) -> Ring:
    return Ring(pk, organization, service.unwrap(master, wrapped, about_key(organization)))


@sight.engine()
def keep(sealed: Iterable[Sealed]) -> None:
    """Write the keys of sealed messages."""
    SubjectKey.objects.bulk_create(
        (SubjectKey(id=each.subject, data_key_id=each.data_key, wrapped=each.wrapped) for each in sealed), batch_size=2_000
    )


@sight.engine()
def secrets(subjects: Iterable[UUID]) -> dict[UUID, bytes]:
    """The keys of subjects, as far as they were not destroyed. Raises Unreadable for one that does not open."""
    keys = list(SubjectKey.objects.select_related("data_key").filter(pk__in=set(subjects)))
    return {key.pk: ring(key.data_key).unwrap(key.pk, bytes(key.wrapped)) for key in keys}


def opened(sealed: Iterable[tuple[UUID | None, bytes, bytes]]) -> list[bytes | None]:
    """The messages of (subject, ciphertext, about); None where the key was destroyed or there is nothing. Raises Unreadable."""
    sealed = list(sealed)
    keys = secrets(subject for subject, *_ in sealed if subject)
    return [
        decrypt(AESGCM(keys[subject]), bytes(text), about + subject.bytes) if subject in keys and text else None
        for subject, text, about in sealed
    ]


def pack(values: Sequence[str]) -> bytes:
    """Personal values in the order of their columns, as one message; the character between them is in no text of PostgreSQL's."""
    packed = "\0".join(values)
    if packed.count("\0") != len(values) - 1:
        raise UserError("A value holds a character that no text may hold.", "Remove the NUL character.", "CHARACTER")
    return packed.encode()


def open_all(records: Iterable[SealedFacts]) -> list[dict[str, str] | None]:
    """The personal values of records by column; None for one that was erased or has none. The caller has a right and a purpose."""
    records = list(records)
    texts = opened((record.subject, record.sealed, record.about()) for record in records)
    return [
        None if text is None else dict(zip(record.personal, text.decode().split("\0"), strict=True))
        for record, text in zip(records, texts, strict=True)
    ]


@sight.engine()
def destroy(subjects: Iterable[UUID]) -> int:
    """Delete the keys of subjects: what they sealed cannot be read by anybody any more. Returns how many there were."""
    return SubjectKey.objects.filter(pk__in=set(subjects)).delete()[0]
