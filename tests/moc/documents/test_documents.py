"""Documents: kept whole under a name nobody can guess, found by those who may read them, with a digest and a version."""

import hashlib
import os
import re
import tempfile

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.utils import timezone

from moc.access import policy
from moc.documents import services
from moc.documents.models import Document
from tests.factories.filings import store_in

pytestmark = pytest.mark.django_db
CONTENT = bytes(range(256)) * 1000


def stored(world, upload, **facts) -> Document:
    return services.store(actor=world.user("edc", "reviewer"), owner=world.edc, kind="grid", upload=upload, **facts)


def test_a_file_is_kept_whole_with_size_and_digest(world):
    document = stored(world, SimpleUploadedFile("study.pdf", CONTENT))
    assert b"".join(services.plain(document)) == CONTENT
    assert CONTENT[:64] not in document.file.open("rb").read()
    assert (document.size, document.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert (document.name, document.uploaded_by) == ("study.pdf", world.user("edc", "reviewer"))


def test_a_large_upload_is_read_in_pieces(world):
    upload = TemporaryUploadedFile("big.csv", "text/csv", len(CONTENT) * 20, None)
    upload.write(CONTENT * 20)
    upload.seek(0)
    document = stored(world, upload)
    assert document.sha256 == hashlib.sha256(CONTENT * 20).hexdigest()
    assert document.size == len(CONTENT) * 20 and b"".join(services.plain(document)) == CONTENT * 20
    upload.close()


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b/c.csv", "con\x00fig", "x" * 500 + ".csv", "ключ 🔑.pdf", "'; DROP TABLE x; --"])
def test_what_the_user_called_it_is_never_a_path(world, name):
    upload = ContentFile(b"x", name="harmless")
    upload.name = name.replace("\x00", "")
    document = stored(world, upload)
    assert re.fullmatch(r"documents/[0-9a-f]{2}/[0-9a-f]{32}", document.file.name)
    assert len(document.name) <= 200


def test_the_same_file_twice_is_two_documents(world):
    first, second = (stored(world, File(ContentFile(b"x").file, name="a.txt")) for _ in range(2))
    assert first.file.name != second.file.name and first.sha256 == second.sha256


def test_owner_and_counterparty_see_it_others_do_not(world):
    document = stored(world, SimpleUploadedFile("study.pdf", b"x"), counterparty=world.aggregator)
    for key in world.organizations:
        expected = key in {"edc", "aggregator", "tso", "rerra"}
        assert Document.objects.visible_to(world.user(key, "viewer")).filter(pk=document.pk).exists() == expected, key
    assert not policy.scope(Document.objects.all(), world.nobody).exists()


def test_an_uploaded_filing_is_opened_by_those_who_may_see_owners(world, client_of):
    upload = SimpleUploadedFile("filing.csv", b"owner_name")
    document = services.store(actor=world.user("aggregator", "filer"), owner=world.aggregator, kind="upload", upload=upload)
    for role, opens in [("filer", 200), ("approver", 200), ("administrator", 200), ("viewer", 404), ("auditor", 404)]:
        user = world.user("aggregator", role)
        assert client_of(user).get(f"/documents/{document.uuid}/").status_code == opens, role
        assert Document.objects.visible_to(user).exists()
    assert client_of(world.user("operator", "administrator")).get(f"/documents/{document.uuid}/").status_code == 404


def test_storing_leaves_a_version_with_its_reason(world):
    document = stored(world, SimpleUploadedFile("study.pdf", b"x"))
    version = document.history.get()
    assert (version.history_user, version.history_change_reason) == (world.user("edc", "reviewer"), "Stored study.pdf")


def test_a_file_whose_document_was_never_committed_is_swept_an_hour_later(world, settings, tmp_path):
    """N13: a process killed between the file and the commit leaves nothing for good."""
    store_in(settings, tmp_path)
    kept = stored(world, SimpleUploadedFile("study.pdf", CONTENT))
    left = default_storage.save(f"documents/ab/{'ab' * 16}", ContentFile(b"rolled back"))
    other = default_storage.save("documents/ab/README", ContentFile(b"not ours"))
    assert services.sweep_files() == 0, "its transaction may be open"
    assert services.sweep_files(timezone.now() + services.KEPT_FOR) == 1
    assert [default_storage.exists(name) for name in (kept.file.name, left, other)] == [True, False, True]


def test_what_a_killed_upload_left_is_swept_a_day_later(settings, tmp_path, monkeypatch):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    upload, copies, other = tmp_path / "uploads" / "a.upload", tmp_path / f"{services.COPIES}1", tmp_path / "of somebody else"
    for folder in (upload.parent, copies, other):
        folder.mkdir()
    upload.write_bytes(b"half")
    fresh = upload.with_name("fresh.upload")
    fresh.write_bytes(b"on its way")
    for old in (upload, copies, other):
        os.utime(old, (0, 0))
    assert services.sweep_uploads() == 2
    assert [path.exists() for path in (upload, copies, other, fresh)] == [False, False, True, True]
