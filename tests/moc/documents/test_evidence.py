"""Evidence (N11): what it is by its content, how large, and what the scanner says; kept while a record refers to it."""

import io
import zipfile

import pytest
from django.core.files.base import ContentFile
from django.db.models import ProtectedError

from moc.documents import content, services
from moc.documents.models import Document
from moc.history import acting
from registry.submissions.models import Decision
from registry.submissions.services import reviewing
from tests.factories.filings import reviewed, row
from tests.factories.scanner import EICAR


def file(data: bytes, name: str) -> ContentFile:
    return ContentFile(data, name=name)


def office(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("[Content_Types].xml", *names):
            archive.writestr(name, "x")
    return out.getvalue()


GOOD = [
    (b"%PDF-1.7 study", "study.pdf"),
    (b"\x89PNG\r\n\x1a\n...", "photo.PNG"),
    (b"\xff\xd8\xff\xe0...", "photo.jpeg"),
    (office("xl/workbook.xml"), "loads.xlsx"),
    (office("word/document.xml"), "letter.docx"),
    ("row,kW\n1,7.6\nZürich".encode(), "loads.csv"),
    (b"a note", "note"),
]
BAD = [
    (b"MZ\x90\x00\x03", "study.exe"),
    (b"MZ\x90\x00\x03", "study.pdf"),
    (b"\x7fELF", "study.pdf"),
    (b"%PDF-1.7", "study.png"),
    (b"<html><script>", "study.txt"),
    (b"#!/bin/sh\nrm", "study.txt"),
    (b"", "empty.txt"),
    (office("xl/workbook.xml", "xl/vbaProject.bin"), "loads.xlsx"),
    (office("anything"), "loads.xlsx"),
    (b"PK\x03\x04 broken", "loads.xlsx"),
]


@pytest.mark.parametrize(("data", "name"), GOOD)
def test_what_evidence_is(data, name):
    upload = file(data, name)
    content.check(upload)
    assert upload.read() == data, "it stands at its beginning"


@pytest.mark.parametrize(("data", "name"), BAD)
def test_what_it_is_not(data, name):
    with pytest.raises(content.Unfit):
        content.check(file(data, name))


def test_too_large(settings):
    settings.MOC_MAX_EVIDENCE_BYTES = 8
    content.check(file(b"%PDF-1.7", "a.pdf"))
    with pytest.raises(content.Unfit, match="at most"):
        content.check(file(b"%PDF-1.7.", "a.pdf"))


@pytest.mark.django_db
def test_what_the_scanner_finds_is_not_kept(world, settings):
    settings.MOC_FILE_SCANNER = "tests.factories.scanner.eicar"
    facts = {"actor": world.user("edc", "reviewer"), "owner": world.edc, "kind": Document.Kind.EVIDENCE}
    kept = services.store(**facts, upload=file(b"%PDF-1.7 study", "study.pdf"))
    assert kept.sha256 and b"".join(services.plain(kept)) == b"%PDF-1.7 study"
    with pytest.raises(content.Unfit, match="EICAR-Test-File"):
        services.store(**facts, upload=file(b"%PDF-1.7 " + EICAR, "study.pdf"))
    assert Document.objects.count() == 1


@pytest.mark.django_db
def test_evidence_is_kept_while_a_decision_refers_to_it(world):
    review = reviewed(world, [row(1)])
    actor = world.user("edc", "reviewer")
    evidence = services.store(actor=actor, owner=world.edc, kind=Document.Kind.EVIDENCE, upload=file(b"%PDF-1.7 study", "study.pdf"))
    facts = {"kind": Decision.Kind.DENY, "reason_code": "data_mismatch", "statement": "Another inverter", "evidence": evidence}
    reviewing.decide(actor=actor, review=review, rows=review.submission.rows.all(), **facts)
    with pytest.raises(ProtectedError), acting(None, "system: test"):
        evidence.delete()
