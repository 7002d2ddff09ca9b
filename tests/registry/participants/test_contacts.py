"""Contacts of utilities, RTOs and regulators, by portal and API, on their days: R5, R6, N12."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.accesslog.models import AccessEntry
from moc.history import acting
from moc.vault.models import SubjectKey
from registry.intents.models import IntentNotice
from registry.participants.models import Contact
from registry.participants.services import opened
from tests.factories.personal import contact

pytestmark = pytest.mark.django_db
API = "/api/v1/registry/contacts/"
ROOM = {"purpose": "operations", "name": "Control room", "phone": "+1 609 555 0100"}


@pytest.mark.parametrize("party", ["edc", "tso", "rerra"])
def test_an_organisation_keeps_its_contacts(world, api_of, party):
    """Named, changed with If-Match, seen in full for a purpose, taken out with the key of who it was."""
    api = api_of(world.user(party, "administrator"))
    made = api.post(API, ROOM | {"valid_from": "2026-01-01"}, format="json")
    assert made.status_code == 201 and made.json()["organization"] == party and "Control" not in made.content.decode()
    one = f"{API}{made.json()['id']}/"
    assert api.patch(one, {"phone": "+1"}, format="json").status_code == 428
    changed = api.patch(one, {"phone": "+1 609 555 0199", "valid_until": "2027-01-01"}, format="json", HTTP_IF_MATCH=made["ETag"])
    assert changed.json()["valid_until"] == "2027-01-01"
    assert api.patch(one, {"phone": "+1"}, format="json", HTTP_IF_MATCH=made["ETag"]).status_code == 412
    assert opened(Contact.objects.get()) == {"name": "Control room", "email": "", "phone": "+1 609 555 0199"}
    assert [len(api.get(API, {"on": day}).json()["results"]) for day in ("2025-12-31", "2026-06-01", "2027-01-01")] == [0, 1, 0]
    subject = Contact.objects.get().subject
    assert api.delete(one, HTTP_IF_MATCH=changed["ETag"]).status_code == 204
    assert not Contact.objects.exists() and not SubjectKey.objects.filter(pk=subject).exists()


def test_who_may_sees_it_in_full_for_a_purpose_and_the_log_keeps_it(world, api_of):
    made = api_of(world.user("edc", "administrator")).post(API, ROOM, format="json").json()
    reveal = f"{API}{made['id']}/reveal/"
    assert api_of(world.user("edc", "reviewer")).post(reveal, {"purpose": "legal"}, format="json").json()["name"] == "Control room"
    assert AccessEntry.objects.get().columns == ["name", "phone"]
    assert api_of(world.user("edc", "viewer")).post(reveal, {"purpose": "legal"}, format="json").status_code == 403
    assert api_of(world.user("rerra", "viewer")).get(f"{API}{made['id']}/").json()["purpose"] == "operations"
    assert api_of(world.user("aggregator", "administrator")).get(f"{API}{made['id']}/").status_code == 404


def test_days_that_end_before_they_begin(world, api_of):
    api = api_of(world.user("tso", "administrator"))
    refused = api.post(API, ROOM | {"valid_from": "2026-02-01", "valid_until": "2026-01-01"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "DAYS") and not Contact.objects.exists()


def test_the_portal_does_the_same(world, client_of):
    """An empty field keeps what is there; nobody else's contacts are found."""
    client = client_of(world.user("rerra", "administrator"))
    hub = client.get(reverse("registry:administration")).content.decode()
    assert reverse("registry:admin_contacts", args=["rerra"]) in hub and reverse("registry:utility_list") in hub
    assert reverse("registry:administration") in client.get("/").content.decode()
    client.post(reverse("registry:admin_contact_new", args=["rerra"]), ROOM)
    contact = Contact.objects.get()
    page = client.get(reverse("registry:admin_contacts", args=["rerra"])).content.decode()
    assert "Operations, 24/7" in page and "Control room" not in page
    address = reverse("registry:admin_contact_change", args=["rerra", contact.pk])
    assert client.post(address, {"purpose": "cyber", "email": "cyber@example.org"}).status_code == 302
    contact.refresh_from_db()
    assert contact.purpose == "cyber" and opened(contact)["name"] == "Control room" and opened(contact)["email"] == "cyber@example.org"
    shown = client.post(reverse("registry:admin_contact_personal", args=["rerra", contact.pk]), {"purpose": "legal"})
    assert "Control room" in shown.content.decode()
    stranger = client_of(world.user("edc", "administrator"))
    assert stranger.get(reverse("registry:admin_contacts", args=["rerra"])).status_code == 404
    assert client.post(reverse("registry:admin_contact_remove", args=["rerra", contact.pk])).status_code == 302
    assert not Contact.objects.exists()


def test_who_has_to_do_with_an_organisation_calls_its_contacts_of_today(world, api_of, client_of):
    """A notice of intent brings an aggregator and a utility together, registration one and its regulator; to strangers there is nothing."""
    past, week = "2026-01-01", timedelta(days=7)
    now = api_of(world.user("edc", "administrator")).post(API, ROOM | {"valid_from": past}, format="json").json()["id"]
    later = ROOM | {"purpose": "cyber", "valid_from": str(timezone.localdate() + week)}
    later = api_of(world.user("edc", "administrator")).post(API, later, format="json").json()["id"]
    filer = api_of(world.user("aggregator", "filer"))
    assert filer.get(API).json()["results"] == [] and filer.get(f"{API}{now}/").status_code == 404
    with acting(None, "system: test"):
        IntentNotice.objects.create(aggregator=world.aggregator, edc=world.edc, title="East", row_count=1, due_at=timezone.now() + week)
    assert [one["id"] for one in filer.get(API).json()["results"]] == [now] and filer.get(f"{API}{later}/").status_code == 404
    assert filer.post(f"{API}{now}/reveal/", {"purpose": "contact"}, format="json").json()["name"] == "Control room"
    assert AccessEntry.objects.get().holder == world.edc and AccessEntry.objects.get().actor == world.user("aggregator", "filer")
    administrator = api_of(world.user("aggregator", "administrator"))
    etag = administrator.get(f"{API}{now}/")["ETag"]
    assert administrator.patch(f"{API}{now}/", {"phone": "+1"}, format="json", HTTP_IF_MATCH=etag).status_code == 403
    mine = administrator.post(API, ROOM, format="json").json()["id"]
    assert api_of(world.user("edc", "reviewer")).get(f"{API}{mine}/").status_code == 200
    for stranger in ("aggregator2", "edc2", "tso2", "rerra2", "operator"):
        assert api_of(world.user(stranger, "administrator")).get(f"{API}{now}/").status_code == 404, stranger
    regulator = api_of(world.user("rerra", "administrator")).post(API, ROOM, format="json").json()["id"]
    assert {one["id"] for one in filer.get(API).json()["results"]} == {now, mine, regulator}
    page = client_of(world.user("aggregator", "filer"))
    assert page.get(reverse("registry:contact_list")).context["page"]["count_text"] == "3 contacts"
    assert "Control room" not in page.get(reverse("registry:contact_detail", args=[now])).content.decode()
    shown = page.post(reverse("registry:contact_personal", args=[now]), {"purpose": "contact"})
    assert "Control room" in shown.content.decode()
    viewer = client_of(world.user("aggregator", "viewer"))
    assert viewer.get(reverse("registry:contact_detail", args=[now])).status_code == 200
    assert viewer.get(reverse("registry:contact_personal", args=[now])).status_code == 404
    assert client_of(world.user("edc2", "administrator")).get(reverse("registry:contact_detail", args=[now])).status_code == 404


def test_in_the_workplace_a_contact_of_others_is_only_shown(world, client_of):
    """N3, N12: whoever deals with a utility sees whom to call there, masked, and neither changes nor removes it; its own people do, and
    the key of who it was goes with it."""
    with acting(None, "system: test"):
        IntentNotice.objects.create(aggregator=world.aggregator, edc=world.edc, title="East", row_count=1, due_at=timezone.now())
    called = contact(world.edc, name="Control room", email="room@example.org")
    pages = {name: reverse(f"admin:registry_contact_{name}", args=[called.pk]) for name in ("change", "delete", "history")}
    client = client_of(world.user("aggregator", "administrator"))
    for name, status in (("change", 200), ("history", 200), ("delete", 404)):
        page = client.get(pages[name])
        assert page.status_code == status and "Control room" not in page.content.decode(), name
    changed = {"organization": world.edc.pk, "purpose": "cyber", "name": "Another", "reason": "Ours"}
    assert client.post(pages["change"], changed).status_code == 403
    assert client.post(pages["delete"], {"post": "yes", "reason": "Ours"}).status_code == 403
    assert opened(Contact.objects.get())["name"] == "Control room"
    own = client_of(world.user("edc", "administrator"))
    assert own.post(pages["delete"], {"post": "yes", "reason": "She left"}).status_code == 302
    assert not Contact.objects.exists() and not SubjectKey.objects.filter(pk=called.subject).exists()
    assert Contact.history.first().history_change_reason == "She left"


def test_contacts_of_others_are_no_part_of_ones_own_file(world, api_of):
    """What is only shown is not taken out (N12)."""
    api_of(world.user("edc", "administrator")).post(API, ROOM, format="json")
    with acting(None, "system: test"):
        IntentNotice.objects.create(aggregator=world.aggregator, edc=world.edc, title="East", row_count=1, due_at=timezone.now())
    assert (
        policy.part_of(Contact.objects.all(), world.edc).exists() and not policy.part_of(Contact.objects.all(), world.aggregator).exists()
    )
