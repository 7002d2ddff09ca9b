"""Ciphers, key wrapping, blind indexes and destroying keys (N12)."""

import base64
import io
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import ImproperlyConfigured

from moc.vault import cipher, masters, rotation
from moc.vault import services as vault
from moc.vault.cipher import Unreadable
from moc.vault.models import DataKey, SubjectKey


def key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def test_a_message_opens_only_with_its_key_in_its_place_unchanged():
    secret, other = AESGCM(os.urandom(32)), AESGCM(os.urandom(32))
    sealed = cipher.encrypt(secret, b"Ada", b"row 1")
    assert cipher.decrypt(secret, sealed, b"row 1") == b"Ada" and b"Ada" not in sealed
    for changed, opener, about in (
        (sealed, other, b"row 1"),
        (sealed, secret, b"row 2"),
        (sealed[:-1], secret, b"row 1"),
        (b"", secret, b""),
    ):
        with pytest.raises(Unreadable):
            cipher.decrypt(opener, changed, about)


@pytest.mark.parametrize("size", [0, 1, cipher.CHUNK, cipher.CHUNK + 1, 3 * cipher.CHUNK])
def test_a_stream_comes_back_whole_or_not_at_all(size):
    secret, plain = os.urandom(32), os.urandom(size)
    sealed = b"".join(cipher.encrypt_stream(secret, [plain[:10], plain[10:]], b"file"))
    assert b"".join(cipher.decrypt_stream(secret, io.BytesIO(sealed), b"file")) == plain
    frame = cipher.CHUNK + cipher.TAG_BYTES
    for broken in (
        sealed[:-1],
        sealed[: 15 + frame] if size > cipher.CHUNK else sealed[:15],
        sealed[:20] + b"\0" + sealed[21:],
        b"nothing",
    ):
        with pytest.raises(Unreadable):
            b"".join(cipher.decrypt_stream(secret, io.BytesIO(broken), b"file"))


@pytest.mark.parametrize("keys", [[], ["not base64!"], [base64.b64encode(b"short").decode()]])
def test_master_keys_that_are_none_are_refused(keys):
    with pytest.raises(ImproperlyConfigured, match="MOC_MASTER_KEYS"):
        masters.EnvironmentKeys(keys)


def test_a_blind_index_tells_equality_under_one_key_only(world):
    ring, other = vault.ring_of(world.edc.pk), vault.ring_of(world.edc2.pk)
    assert ring.blind(b"account", b"1") == ring.blind(b"account", b"1")
    assert len({ring.blind(b"account", b"1"), ring.blind(b"account", b"2"), ring.blind(b"name", b"1"), other.blind(b"account", b"1")}) == 4


def test_what_is_sealed_opens_until_its_key_is_destroyed(world):
    kept = [vault.ring_of(world.edc.pk).seal(text, b"about") for text in (b"Ada", b"Bob")]
    vault.keep(kept)
    asked = [(each.subject, each.sealed, b"about") for each in kept]
    assert vault.opened(asked) == [b"Ada", b"Bob"]
    assert vault.destroy([kept[0].subject]) == 1
    assert vault.opened(asked) == [None, b"Bob"]
    assert not SubjectKey.objects.filter(pk=kept[0].subject).exists()


def test_another_master_key_takes_over_and_the_old_one_can_go(world, settings):
    old, new = key(), key()
    settings.MOC_MASTER_KEYS = [old]
    kept = vault.ring_of(world.edc.pk).seal(b"Ada", b"about")
    vault.keep([kept])
    settings.MOC_MASTER_KEYS = [new, old]
    assert rotation.rewrap_data_keys() == DataKey.objects.count() > 0
    assert rotation.rewrap_data_keys() == 0
    settings.MOC_MASTER_KEYS = [new]
    assert vault.opened([(kept.subject, kept.sealed, b"about")]) == [b"Ada"]
    settings.MOC_MASTER_KEYS = [old]
    with pytest.raises(Unreadable):
        vault.opened([(kept.subject, kept.sealed, b"about")])


def test_a_data_key_that_is_needed_is_not_destroyed(world):
    kept = vault.ring_of(world.edc.pk).seal(b"Ada", b"about")
    vault.keep([kept])
    former = rotation.begin(world.edc.pk)
    assert rotation.begin(world.edc.pk) == former  # a run that was stopped goes on
    with pytest.raises(ValueError, match="still wrapped"):
        rotation.retire(former)
    assert rotation.rewrap_subjects(former, lambda count: None) == 1
    rotation.retire(former)
    former.refresh_from_db()
    assert bytes(former.wrapped) == b"" and vault.opened([(kept.subject, kept.sealed, b"about")]) == [b"Ada"]
