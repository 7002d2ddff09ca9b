"""A utility's letters: versions, placeholders of a closed list, and nothing that a writer or a name could smuggle in. N3."""

import io
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.utils import timezone
from weasyprint import HTML

from moc import paper
from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from moc.letters import fill, problems
from registry.administration.services import letters
from registry.ders import reports as der_reports
from registry.submissions import reports
from registry.submissions.models import Decision
from registry.submissions.services import reviewing
from registry.utilities.models import LetterTemplate
from tests.factories.ders import register
from tests.factories.filings import reviewed, row, store_in

pytestmark = pytest.mark.django_db
DECISION, CERTIFICATE = LetterTemplate.Kind
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6310d30bfc0f00"
    "02880195db7408b40000000049454e44ae426082"
)


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


def saved(world, kind=DECISION, logo: bytes = b"", edc: str = "edc", **texts) -> LetterTemplate:
    return letters.save(actor=world.user(edc, "administrator"), edc=world.organizations[edc], kind=kind, texts=texts, logo=logo)


def decided(world, n: int = 1) -> Decision:
    review = reviewed(world, [row(n)])
    return reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.all(), kind="approve")


def html_of(decision: Decision) -> str:
    context, _ = reports.letter(decision, reviewing.decided_rows(decision))
    return render_to_string("documents/decision_letter.html", context)


def test_placeholders_are_filled_once_and_as_text():
    values = {"utility": "{aggregator} & Sons", "aggregator": "A"}
    assert fill("Dear {aggregator} of {utility}, {unknown}", values) == "Dear A of {aggregator} & Sons, {unknown}"


@pytest.mark.parametrize("text", ["{owner_name}", "{utility", "utility}", "{{ utility }}", "{utility.slug}", "{}", "{% include 'x' %}"])
def test_what_is_no_placeholder_is_refused_with_the_list(world, text):
    assert problems(text, ["utility"])
    with pytest.raises(UserError) as refused:
        saved(world, opening=text)
    assert refused.value.code == "LETTER-PLACEHOLDER" and "{aggregator}" in refused.value.remedy
    assert not LetterTemplate.objects.exists()


def test_decisions_keep_the_version_with_which_they_were_taken(world):
    before = decided(world, 1)
    saved(world, opening="First words to {aggregator}.", signature="The First")
    first = decided(world, 2)
    saved(world, opening="Second words.", signature="The Second")
    second = decided(world, 3)
    assert [one.letter_template and one.letter_template.version for one in (before, first, second)] == [None, 1, 2]
    assert f"First words to {world.aggregator}." in html_of(first) and "The Second" not in html_of(first)
    assert "Second words." in html_of(second) and "words" not in html_of(before)
    version = LetterTemplate.objects.get(version=1).history.get()
    assert (version.history_user, version.opening) == (world.user("edc", "administrator"), "First words to {aggregator}.")


def test_a_certificate_has_the_words_of_its_moment(world):
    der = register(world, 1)[0]
    assert der_reports.letterhead(der, None) == (None, b"")
    letter = saved(world, CERTIFICATE, logo=PIXEL, closing="{technology} {der}, since {registered_on}.")
    words, logo = der_reports.letterhead(der, None)
    assert (words["closing"], words["sender"], logo) == ("Photovoltaic D-1, since 2024-01-02.", "Edc, Inc.", PIXEL)
    assert der_reports.letterhead(der, letter.created_at - timedelta(seconds=1)) == (None, b"")


def test_another_utilitys_letters_are_not_used(world):
    saved(world, edc="edc2", opening="Of another.")
    assert decided(world).letter_template is None


HOSTILE = (
    '<script>alert(1)</script><img src="http://elsewhere.example/x.png"><link rel="stylesheet" href="file:///etc/passwd">'
    "<style>@import url(http://elsewhere.example/)</style><iframe src=//elsewhere.example></iframe>"
)


def test_no_markup_and_no_address_gets_out_of_a_text(world):
    """What a utility writes, and what an aggregator calls its filing, stays text on the paper; nothing is fetched."""
    with acting(None, "system: tests"):
        type(world.aggregator).objects.filter(pk=world.aggregator.pk).update(name=HOSTILE[:120])
    texts = dict.fromkeys(("opening", "closing"), HOSTILE + " {aggregator}")
    letter = saved(world, sender=HOSTILE[:120], address=HOSTILE[:400], signature=HOSTILE[:200], **texts)
    decision = decided(world)
    decision.review.submission.title = HOSTILE[:200]
    html = html_of(decision)
    for tag in ("<script", '<img src="http', '<link rel="stylesheet" href="file', "<style", "<iframe"):
        assert tag not in html.replace("<meta", "")
    asked = []
    plain = paper.OwnFilesOnly.fetch

    def fetch(self, url, headers=None):
        asked.append(url)
        return plain(self, url, headers)

    with patch.object(paper.OwnFilesOnly, "fetch", fetch):
        assert paper.pdf(html, {"logo": b""}).startswith(b"%PDF")
    assert asked and not [url for url in asked if not url.startswith(("static:", "given:"))]
    assert letter.version == 1


def test_nothing_but_our_own_files_is_ever_fetched():
    for url in ("http://elsewhere.example/", "file:///etc/passwd", "data:text/css,x", "given:other"):
        with pytest.raises(ValueError, match="own files"):
            paper.OwnFilesOnly({"logo": PIXEL}).fetch(url)
    assert paper.OwnFilesOnly({"logo": PIXEL}).fetch("given:logo").read() == PIXEL


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://elsewhere.example/'/></svg>",
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;",
        b"%PDF-1.7",
        PIXEL[:40],
        b"\0" * (letters.LOGO_BYTES + 1),
    ],
    ids=["svg", "gif", "pdf", "cut off", "too large"],
)
def test_a_logo_is_what_its_content_says(content):
    with pytest.raises(UserError) as refused:
        letters.logo_of(SimpleUploadedFile("logo.png", content, "image/png"))
    assert refused.value.code == "LETTER-LOGO" and refused.value.remedy


def test_a_good_logo_is_on_the_paper(world):
    logo = letters.logo_of(SimpleUploadedFile("logo.gif", PIXEL, "image/gif"))
    assert logo == PIXEL, "by content, whatever the name says"
    saved(world, logo=logo)
    context, given = reports.letter(decision := decided(world), reviewing.decided_rows(decision))
    assert given == PIXEL and 'src="given:logo"' in render_to_string("documents/decision_letter.html", context)
    found = HTML(string=render_to_string("documents/decision_letter.html", context), url_fetcher=paper.OwnFilesOnly({"logo": PIXEL}))
    assert len(found.render().pages) == 1


def test_only_the_utilitys_administrator_writes_letters(world):
    for organization, role in (("edc", "approver"), ("edc2", "administrator"), ("operator", "administrator")):
        with pytest.raises(NotPermitted):
            letters.save(actor=world.user(organization, role), edc=world.edc, kind=DECISION, texts={"opening": "Mine."})
    assert not LetterTemplate.objects.exists()


def test_the_preview_is_paper_and_saves_nothing(world, client_of):
    client = client_of(world.user("edc", "administrator"))
    url = "/registry/administration/edc/letters/decision/"
    logo = io.BytesIO(PIXEL)
    logo.name = "logo.png"
    preview = client.post(url, {"opening": "To {aggregator}.", "preview": "on", "logo": logo})
    assert (preview["Content-Type"], preview.content[:5]) == ("application/pdf", b"%PDF-")
    assert not LetterTemplate.objects.exists()
    refused = client.post(url, {"opening": "To {nobody}.", "preview": "on"})
    assert refused.status_code == 422 and "There is no placeholder {nobody}." in refused.content.decode()
    assert client.post(url, {"opening": "To {aggregator}."}).status_code == 302
    for kind in LetterTemplate.Kind:
        saved(world, kind, closing="Until {utility} says otherwise.")
    for kind, version in ((DECISION, 1), (DECISION, 2), (CERTIFICATE, 1)):
        example = client.get(f"/registry/administration/edc/letters/{kind}/{version}.pdf")
        assert example.content[:5] == b"%PDF-", kind
    assert LetterTemplate.objects.filter(created_at__lte=timezone.now()).count() == 3


def test_a_version_without_a_new_logo_keeps_the_one_before(world, client_of):
    saved(world, logo=PIXEL)
    client = client_of(world.user("edc", "administrator"))
    client.post("/registry/administration/edc/letters/decision/", {"signature": "Another"})
    assert bytes(LetterTemplate.objects.of(world.edc.pk, DECISION).logo) == PIXEL
    client.post("/registry/administration/edc/letters/decision/", {"signature": "Another", "without_logo": "on"})
    assert bytes(LetterTemplate.objects.of(world.edc.pk, DECISION).logo) == b""
