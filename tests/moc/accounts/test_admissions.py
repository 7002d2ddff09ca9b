"""A new aggregator signs itself up, proves its address, waits, and is admitted or refused. N2, R5."""

import re

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from moc.access import policy
from moc.access.models import Membership, Organization, User
from moc.accounts import admissions
from moc.accounts.models import Admission
from moc.errors import UserError
from moc.history import acting
from moc.lifecycle import TransitionRefused
from moc.notices.models import Notice
from tests.factories.world import PASSWORD, REASON

EMAIL = "ann@sunny.example.org"


def filled(world, **changes) -> dict:
    body = {"organization": "Sunny Roofs", "legal_name": "Sunny Roofs, LLC", "rerra": world.rerra.pk, "name": "Ann", "email": EMAIL}
    return body | {"terms": "on", "website": ""} | changes


def sign_up(client, world, **changes):
    return client.post(reverse("account_sign_up"), filled(world, **changes))


def link(mail) -> str:
    return re.search(r"http://localhost:8000(\S+)", mail.body)[1]


@pytest.fixture
def admission(world) -> Admission:
    facts = {"organization": "Sunny Roofs", "legal_name": "Sunny Roofs, LLC", "name": "Ann", "email": EMAIL, "rerra": world.rerra.pk}
    return admissions.open_account(key=admissions.link_key(facts), password=PASSWORD)


def kept() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (User, Organization, Membership, Admission))


def test_from_the_public_page_to_the_first_right(world, client, client_of, mailoutbox):
    before = kept()
    assert "mailbox" in sign_up(client, world).content.decode() and kept() == before, "nothing is kept of an address that is not proven"
    url = link(mailoutbox[0])
    assert EMAIL in client.get(url).content.decode() and kept() == before
    assert client.post(url, {"password": "short", "again": "short"}).status_code == 422 and kept() == before
    assert client.post(url, {"password": PASSWORD, "again": PASSWORD}).url == reverse("account_login")
    assert "no longer valid" in client.get(url).content.decode()
    client.post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD})
    admission = Admission.objects.get()
    page = reverse("admission_detail", args=[admission.uuid])
    assert page in client.get("/").content.decode() and "Waits for admission" in client.get(page).content.decode()
    assert client.get(reverse("registry:submission_new")).status_code == 404
    assert not policy.reach(User.objects.get(email=EMAIL), "view_registry")
    regulator = client_of(world.user("rerra", "administrator"))
    assert "Sunny Roofs" in regulator.get(reverse("admission_list")).content.decode()
    assert "Aggregators to admit" in regulator.get("/").content.decode()
    regulator.post(reverse("admission_transition", args=[admission.uuid, "admit"]))
    assert client.get(reverse("registry:submission_new")).status_code == 200
    told = set(Notice.objects.values_list("event", "user__email"))
    assert told >= {
        ("admission_asked", "administrator@rerra.example.org"),
        ("admission_asked", "administrator@operator.example.org"),
        ("admission_decided", EMAIL),
    }
    assert ("admission_asked", "administrator@rerra2.example.org") not in told


@pytest.mark.parametrize(
    "changes",
    [{"terms": ""}, {"email": "no address"}, {"organization": " "}, {"rerra": ""}, {"name": ""}],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_missing_is_said_and_nothing_sent(world, client, mailoutbox, changes):
    assert sign_up(client, world, **changes).status_code == 422 and not mailoutbox


def test_only_a_regulator_can_be_asked(world, client, mailoutbox):
    assert sign_up(client, world, rerra=world.edc.pk).status_code == 422 and not mailoutbox


def test_an_address_with_an_account_gets_the_same_answer_and_no_second_account(world, client, mailoutbox):
    answers = [sign_up(client, world, email=email).content for email in (EMAIL, "viewer@edc.example.org")]
    assert answers[0] == answers[1] and "has an account already" in mailoutbox[1].body and "/sign-up/" not in mailoutbox[1].body


def test_a_program_that_fills_in_everything_is_thanked_and_ignored(world, client, mailoutbox):
    assert sign_up(client, world, website="https://spam.example.com").status_code == 200 and not mailoutbox


def test_sign_ups_are_few_per_address_and_per_place(world, client, mailoutbox):
    answers = [sign_up(client, world).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429] and len(mailoutbox) == 3
    answers = [sign_up(client, world, email=f"ann{number}@sunny.example.org").status_code for number in range(8)]
    assert answers[0] == 200 and answers[-1] == 429 and len(mailoutbox) <= 10


@pytest.mark.parametrize("key", ["rubbish", admissions.link_key({})[:-4] + "AAAA"], ids=["rubbish", "another end"])
def test_a_forged_link_opens_nothing(world, client, key):
    before = kept()
    url = reverse("account_sign_up_confirm", args=[key])
    assert client.get(url).status_code == 200 and client.post(url, {"password": PASSWORD, "again": PASSWORD}).status_code == 422
    assert kept() == before


def test_a_link_is_good_for_a_day(world, client, mailoutbox, monkeypatch):
    sign_up(client, world)
    monkeypatch.setattr(admissions, "LINK_SECONDS", -1)
    assert "no longer valid" in client.get(link(mailoutbox[0])).content.decode()


def test_a_taken_name_is_told_to_whoever_proved_an_address(world, admission):
    before = kept()
    facts = {"organization": "sunny roofs", "legal_name": "x", "name": "B", "email": "b@example.org", "rerra": world.rerra.pk}
    with pytest.raises(UserError) as refusal:
        admissions.open_account(key=admissions.link_key(facts), password=PASSWORD)
    assert refusal.value.code == "NAME_TAKEN" and kept() == before


def decide(admission: Admission, actor: User, name: str = "admit", reason: str = "") -> None:
    admissions.decide(actor=actor, admissions=Admission.objects.filter(pk=admission.pk), name=name, reason=reason)


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (("rerra", "administrator"), True),
        (("operator", "administrator"), True),
        (("rerra", "auditor"), False),
        (("rerra2", "administrator"), False),
        (("edc", "administrator"), False),
        (("aggregator", "administrator"), False),
    ],
)
def test_who_admits(world, admission, who, may):
    if may:
        decide(admission, world.user(*who))
    else:
        with pytest.raises(policy.NotPermitted):
            decide(admission, world.user(*who))
    admission.organization.refresh_from_db()
    assert admission.organization.is_active is may


def test_a_refusal_owes_a_reason_tells_it_and_gives_no_right(world, admission):
    regulator = world.user("rerra", "administrator")
    with pytest.raises(UserError):
        decide(admission, regulator, "refuse")
    decide(admission, regulator, "refuse", "no certification")
    admission.organization.refresh_from_db()
    assert not admission.organization.is_active and "no certification" in Notice.objects.get(event="admission_decided").body
    with pytest.raises(TransitionRefused):
        decide(admission, regulator)


def test_nobody_admits_themselves_not_even_in_the_database(world, admission):
    with pytest.raises(IntegrityError), transaction.atomic(), acting(None, REASON):
        Admission.objects.update(status="admitted", decided_by=admission.user)
    with pytest.raises(IntegrityError), transaction.atomic(), acting(None, REASON):
        Admission.objects.update(status="admitted")


def test_the_api_and_the_workplace_admit_too(world, admission, api_of, client_of):
    url = f"/api/v1/admissions/{admission.uuid}/"
    assert api_of(admission.user).get(url).json()["status"] == "pending"
    assert api_of(world.user("rerra2", "administrator")).get(url).status_code == 404
    api = api_of(world.user("rerra", "administrator"))
    answer = api.post(f"{url}transitions/refuse/", {"reason": "no"}, HTTP_IF_MATCH=api.get(url)["ETag"])
    assert answer.status_code == 200 and answer.json()["status"] == "refused"
    with acting(None, REASON), transaction.atomic():
        other = Organization.objects.create(kind="aggregator", name="Other", slug="other", is_active=False)
        second = Admission.objects.create(organization=other, rerra=world.rerra, user=world.nobody, terms_version="1")
    move = reverse("admin:moc_admission_move", args=[second.pk, "admit"])
    client_of(world.user("operator", "administrator")).post(move, {"confirmed": "yes", "reason": ""})
    other.refresh_from_db()
    assert other.is_active
