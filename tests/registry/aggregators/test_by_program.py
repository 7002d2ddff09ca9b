"""By program as in the portal: parts of a registration end, a suspension shows its evidence, tenures end (R5, N2, ¶297)."""

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from moc.accesslog.models import AccessEntry
from moc.history import acting
from registry.aggregators.models import AggregatorRegistration, Officer, Suspension
from registry.ders.models import Der, DerTenure
from tests.factories.ders import register
from tests.factories.filings import store_in
from tests.factories.personal import registered_owner
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
API = "/api/v1/registry/"


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


def test_parts_of_a_registration_come_and_go(world, api_of):
    registration = AggregatorRegistration.objects.get(aggregator=world.aggregator)
    api, one = api_of(world.user("aggregator", "administrator")), f"{API}aggregators/{registration.uuid}/"
    named = api.post(f"{one}officers/", {"title": "Treasurer", "name": "Somebody"}, format="json").json()
    part = next(each["id"] for each in named if each["facts"]["Office"] == "Treasurer")
    assert api.post(f"{one}contacts/{part + 999}/end/").status_code == 404
    assert api.post(f"{one}secrets/{part}/end/").status_code == 404
    assert api_of(world.user("aggregator", "filer")).post(f"{one}officers/{part}/end/").status_code == 403
    assert api_of(world.user("aggregator2", "administrator")).post(f"{one}officers/{part}/end/").status_code == 404
    assert Officer.objects.filter(pk=part).exists()
    read = api.get(f"{one}officers/")["ETag"]
    assert api.post(f"{one}officers/", {"title": "Counsel", "name": "Second"}).status_code == 201
    assert api.post(f"{one}officers/{part}/end/").status_code == 428
    late = api.post(f"{one}officers/{part}/end/", headers={"If-Match": read})
    assert late.status_code == 412 and len(late.json()["current"]) == len(api.get(f"{one}officers/").json())
    assert api.post(f"{one}officers/{part}/end/", headers={"If-Match": late["ETag"]}).status_code == 204
    assert not Officer.objects.filter(pk=part).exists()


def test_a_registration_is_seen_in_full_for_a_purpose(world, api_of):
    """The aggregator's administrators and its regulator, and the log keeps the look."""
    registration = AggregatorRegistration.objects.get(aggregator=world.aggregator)
    api, one = api_of(world.user("aggregator", "administrator")), f"{API}aggregators/{registration.uuid}/"
    api.post(f"{one}officers/", {"title": "Treasurer", "name": "Somebody"}, format="json")
    shown = api_of(world.user("rerra", "administrator")).post(f"{one}reveal/", {"purpose": "legal"}, format="json")
    assert {"title": "Treasurer", "facts": {"Name": "Somebody", "E-mail": "", "Telephone": ""}} in shown.json()
    assert AccessEntry.objects.get().purpose == "legal"
    assert api_of(world.user("aggregator", "filer")).post(f"{one}reveal/", {"purpose": "legal"}, format="json").status_code == 403
    assert api.post(f"{one}reveal/", {"purpose": "curiosity"}, format="json").status_code == 400


def test_a_threat_to_reliability_is_shown_by_program_too(world, api_of):
    """¶297: without evidence it is refused with the portal's code; with evidence the aggregator reads it."""
    api = api_of(world.user("edc", "administrator"))
    said = {"aggregator": "aggregator", "reason": "reliability", "statement": "A feeder was overloaded."}
    refused = api.post(f"{API}suspensions/", said, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "SUSPENSION-EVIDENCE")
    study = SimpleUploadedFile("study.pdf", b"%PDF-1.7 study", "application/pdf")
    assert api.post(f"{API}suspensions/", said | {"evidence": study}, format="multipart").status_code == 201
    assert Suspension.objects.get().evidence.name == "study.pdf"


def test_tenures_by_program(world, api_of):
    """The utility hands its DERs over, all or nothing; another's are none of its own."""
    ders, strange = register(world, 2), register(world, 1, edc="edc2", prefix="E")
    api, url = api_of(world.user("edc", "approver")), f"{API}ders/tenures/"
    said = {"verb": "hand_over", "ders": [str(der.uuid) for der in ders], "aggregator": "aggregator2", "reason": "The customers changed"}
    said |= {"on": str(timezone.localdate())}
    assert api.post(url, said | {"ders": [*said["ders"], str(strange[0].uuid)]}, format="json").status_code == 400
    assert api.post(url, said | {"aggregator": "tso"}, format="json").status_code == 400
    assert api_of(world.user("edc", "reviewer")).post(url, said, format="json").status_code == 403
    assert not DerTenure.objects.filter(aggregator=world.aggregator2).exists()
    assert api.post(url, said, format="json").json() == {"ders": 2}
    assert DerTenure.objects.filter(aggregator=world.aggregator2, status="running").count() == 2


def test_an_owner_is_invited_by_program(world, api_of):
    der = register(world, 1)[0]
    owner = registered_owner(world.aggregator, world.edc, owner_email="ada@example.org")
    with acting(None, REASON):
        Der.objects.filter(pk=der.pk).update(owner=owner)
    url = f"{API}ders/{der.uuid}/owner/invite/"
    assert api_of(world.user("aggregator", "viewer")).post(url).status_code == 404 and not mail.outbox
    assert api_of(world.user("aggregator", "filer")).post(url).status_code == 204
    assert len(mail.outbox) == 1 and "/registry/owners/welcome/" in mail.outbox[0].body
