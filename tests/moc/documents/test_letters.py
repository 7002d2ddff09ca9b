"""Letters (N7, N11): every printed copy has a code; anybody checks it, and learns kind, day, parties and whether a file is that copy."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from moc.documents import letters
from moc.documents.models import Letter
from moc.history import acting
from registry.aggregations.models import Aggregation
from registry.aggregators.models import AggregatorRegistration
from registry.aggregators.services import standing
from registry.catalogue import services as catalogue
from registry.catalogue.models import GridService
from tests.contracts.scene_aggregations import make
from tests.contracts.sources import ROOT
from tests.factories.ders import register

pytestmark = pytest.mark.django_db


@pytest.fixture
def printed(world, client_of) -> bytes:
    """A certificate of a DER, as its aggregator prints it."""
    der = register(world, 1)[0]
    return client_of(world.user("aggregator", "viewer")).get(f"/registry/ders/{der.uuid}/certificate.pdf").content


def ask(client, code: str, copy: bytes | None = None) -> str:
    body = {"code": code} | ({"file": SimpleUploadedFile("letter.pdf", copy)} if copy else {})
    return client.post("/verify/", body).content.decode()


def test_a_stranger_checks_a_copy(world, client, printed):
    letter = Letter.objects.get()
    assert printed.startswith(b"%PDF") and re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", letter.code)
    page = ask(client, letter.code)
    assert "The code is genuine" in page and letters.KINDS["certificate"] in page
    assert world.edc.legal_name in page and world.aggregator.legal_name in page
    assert "Elm Street" not in page and "D-1" not in page and str(world.edc.pk) not in re.sub(r"<[^>]*>", "", page).split()
    assert "This is the very copy" in ask(client, letter.code, printed)
    assert "The file is not the one that was printed" in ask(client, letter.code, printed + b" ")


def test_a_code_is_read_as_people_type_it(client, printed):
    letter = Letter.objects.get()
    typed = letter.code.replace("-", " ").lower().replace("1", "l").replace("0", "o")
    assert "The code is genuine" in ask(client, typed)


@pytest.mark.parametrize("code", ["0000-0000-0000-0000", "'; --", "x" * 40])
def test_a_wrong_code_says_nothing(client, printed, code):
    assert "No letter has this code" in ask(client, code)


def test_codes_are_not_tried_by_the_thousand(client, printed, settings):
    settings.MOC_CHECKS_PER_MINUTE = 3
    answers = [client.post("/verify/", {"code": "0000"}).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]


def test_each_copy_has_a_code_of_its_own(world, client_of):
    der = register(world, 1)[0]
    client = client_of(world.user("edc", "viewer"))
    first, second = (client.get(f"/registry/ders/{der.uuid}/certificate.pdf").content for _ in range(2))
    assert first != second and Letter.objects.values("code").distinct().count() == 2


def test_a_registered_aggregation_has_its_certificate(world, client_of, client):
    """Of its RTO to its aggregator; before it is registered there is none."""
    with acting(None, "system: test"):
        if not GridService.objects.exists():
            catalogue.load()
        one = make(world.aggregator, world.tso, name="An aggregation")
    reader, url = client_of(world.user("tso", "viewer")), f"/registry/prequalification/aggregations/{one.uuid}/certificate.pdf"
    with acting(None, "system: test"):
        Aggregation.objects.filter(pk=one.pk).update(status="submitted")
    assert reader.get(url).status_code == 404
    with acting(None, "system: test"):
        Aggregation.objects.filter(pk=one.pk).update(status="registered", effective_on="2026-01-01")
    copy = reader.get(url).content
    assert "This is the very copy" in ask(client, Letter.objects.get().code, copy)
    assert client_of(world.user("tso2", "administrator")).get(url).status_code == 404


def test_the_signed_agreement_is_a_letter_of_its_regulator(world, client_of, client):
    """¶352: the very text that was read, with its hash; the signing organisation's people and its regulator print it."""
    one = AggregatorRegistration.objects.get(aggregator=world.aggregator)
    url = f"/registry/aggregators/{one.uuid}/agreement.pdf"
    copy = client_of(world.user("aggregator", "viewer")).get(url).content
    letter = Letter.objects.get()
    assert (letter.kind, letter.issuer, letter.recipient) == ("agreement", world.rerra, world.aggregator)
    assert "This is the very copy" in ask(client, letter.code, copy)
    assert client_of(world.user("aggregator2", "administrator")).get(url).status_code == 404


def test_a_suspension_is_a_letter_of_who_imposed_it(world, client_of, client):
    actor = world.user("tso", "administrator")
    said = {"reason": "breach", "statement": "The attestation was false."}
    made = standing.suspend(actor=actor, authority=world.tso, aggregator=world.aggregator, **said)
    url = f"/registry/aggregators/suspensions/{made.uuid}/letter.pdf"
    copy = client_of(world.user("aggregator", "viewer")).get(url).content
    letter = Letter.objects.get()
    assert (letter.kind, letter.issuer, letter.recipient) == ("suspension", world.tso, world.aggregator)
    assert "This is the very copy" in ask(client, letter.code, copy)
    assert client_of(world.user("aggregator2", "administrator")).get(url).status_code == 404


def test_every_kind_has_its_template():
    pages = {path.stem for path in (ROOT / "templates" / "documents").glob("*.html")}
    assert {kind if kind != "decision" else "decision_letter" for kind in letters.KINDS} <= pages


def test_letters_by_program(world, api_of, client):
    """The same copies through the API, for the same readers."""
    der, registration = register(world, 1)[0], AggregatorRegistration.objects.get(aggregator=world.aggregator)
    api, stranger = (api_of(world.user(name, "administrator")) for name in ("aggregator", "aggregator2"))
    for url in (f"/api/v1/registry/ders/{der.uuid}/letter/", f"/api/v1/registry/aggregators/{registration.uuid}/letter/"):
        copy = api.get(url)
        assert (copy.status_code, copy["Content-Type"]) == (200, "application/pdf")
        assert "This is the very copy" in ask(client, Letter.objects.latest("pk").code, copy.content)
        assert stranger.get(url).status_code == 404
