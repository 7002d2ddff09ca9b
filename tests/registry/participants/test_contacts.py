"""Contacts of utilities, RTOs and regulators, by portal and API, on their days: R5, R6, N12."""

import pytest
from django.urls import reverse

from moc.accesslog.models import AccessEntry
from moc.vault.models import SubjectKey
from registry.participants.models import Contact
from registry.participants.services import opened

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
