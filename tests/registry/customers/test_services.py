"""Owners: an account by invitation, consents that gate, personal use, who looked. R5, N12."""

import re
from datetime import time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils import timezone

from moc.access.models import User
from moc.access.policy import NotPermitted
from moc.accesslog.services import note
from moc.errors import UserError
from moc.history import acting
from moc.jobs.models import Job
from moc.notices.models import Notice
from registry.aggregations import tasks
from registry.aggregations.models import Aggregation, AggregationMember
from registry.aggregations.services import building, consents, membership
from registry.customers import reports, services
from registry.customers.models import OwnerAccount, PersonalUse
from registry.ders.models import Der
from registry.participants import services as participants
from registry.participants.models import Consent
from tests.factories import ders as making
from tests.factories.filings import store_in
from tests.factories.personal import registered_owner
from tests.factories.qualification import aggregate
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
BOTH = ["contact", "market"]


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def owner(world):
    return registered_owner(world.aggregator, world.edc, edc_account_no="A-1", owner_name="Ann", owner_email="ann@example.org")


@pytest.fixture
def der(world, owner) -> Der:
    return making.register(world, 1, owner=owner)[0]


@pytest.fixture
def ann(world, owner) -> User:
    """The owner, with an account."""
    with acting(None, REASON):
        user = User.objects.create_user("ann@example.org", "not used", name="Ann")
        OwnerAccount.objects.create(user=user, owner=owner, edc=owner.edc)
    return user


def consented(ann, owner, scopes=BOTH, **facts) -> Consent:
    given = {"aggregator": owner.aggregator, "scopes": scopes, "purpose": "Everything"} | facts
    return services.consent(actor=ann, owner=owner, **given)


def link(mailoutbox) -> str:
    return re.search(r"/owners/welcome/([^/\s]+)/", mailoutbox[-1].body)[1]


def test_an_invited_owner_opens_the_account_with_all_records_of_the_utility_account(world, owner, mailoutbox):
    """The link goes to the address on the record, and the look at it is logged for the owner."""
    other = registered_owner(world.aggregator2, world.edc, edc_account_no="A-1", owner_email="ann@example.org")
    stranger = registered_owner(world.aggregator2, world.edc, edc_account_no="A-2")
    services.invite(actor=world.user("aggregator", "filer"), owner=owner)
    assert mailoutbox[-1].to == ["ann@example.org"]
    account = services.open_account(key=link(mailoutbox), password="long enough words", name="Ann")
    assert set(reports.owners(account.user)) == {owner, other} and stranger not in reports.owners(account.user)
    assert [look.get_purpose_display() for look in reports.looks(account.user)] == ["Reach the customer about this DER"]


def test_a_forged_link_and_one_for_another_opens_nothing(world, owner, ann, mailoutbox):
    services.invite(actor=world.user("aggregator", "filer"), owner=owner)
    key = link(mailoutbox)
    for wrong, user in (("forged", None), (key, None), (key, world.nobody)):
        with pytest.raises(UserError, match="no longer valid"):
            services.open_account(key=wrong, password="long enough words", user=user)
    assert services.open_account(key=key, user=ann).user == ann


def test_an_owner_without_an_address_is_not_invited(world, mailoutbox):
    nameless = registered_owner(world.aggregator, world.edc, edc_account_no="A-3")
    with pytest.raises(UserError, match="no e-mail"):
        services.invite(actor=world.user("aggregator", "filer"), owner=nameless)
    assert mailoutbox == []


def test_a_consent_is_the_owners_own_word_or_shown_with_evidence(world, owner, ann):
    assert consented(ann, owner).by_owner
    paper = ContentFile(b"signed", name="signed.txt")
    shown = consented(world.user("aggregator", "filer"), owner, evidence=paper)
    assert not shown.by_owner and shown.evidence.counterparty == owner.edc
    for actor, evidence in (
        (world.user("aggregator", "filer"), None),
        (world.user("aggregator2", "administrator"), paper),
        (world.nobody, None),
    ):
        with pytest.raises(NotPermitted):
            consented(actor, owner, evidence=evidence)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"scopes": []}, "CONSENT-SCOPE"),
        ({"scopes": ["soul"]}, "CONSENT-SCOPE"),
        ({"expires_on": TODAY - timedelta(days=1)}, "CONSENT-PAST"),
    ],
)
def test_a_consent_that_makes_no_sense(owner, ann, facts, code):
    with pytest.raises(UserError) as refused:
        consented(ann, owner, **facts)
    assert refused.value.code == code and not Consent.objects.exists()


def reveal(world, owner, who=("aggregator", "filer")) -> dict:
    return participants.reveal(actor=world.user(*who), record=owner, purpose="contact")


def test_what_is_revoked_may_not_be_seen(world, owner, ann):
    """Without any consent the filing's attestation stands; once revoked the aggregator sees nothing, the utility its own customer."""
    assert reveal(world, owner)["owner_name"] == "Ann"
    one = consented(ann, owner)
    assert reveal(world, owner)["owner_name"] == "Ann"
    services.revoke(actor=ann, consent=one, reason="I left")
    with pytest.raises(UserError) as refused:
        reveal(world, owner)
    assert refused.value.code == "CONSENT"
    assert reveal(world, owner, ("edc", "reviewer"))["owner_name"] == "Ann"
    assert Notice.objects.filter(user=world.user("aggregator", "filer"), event="consent").count() == 2
    consented(ann, owner, ["contact"])
    assert reveal(world, owner)["owner_name"] == "Ann"


def test_what_has_expired_may_not_be_seen(world, owner, ann):
    one = consented(ann, owner, expires_on=TODAY)
    assert reveal(world, owner)["owner_name"] == "Ann"
    with acting(None, REASON):
        Consent.objects.filter(pk=one.pk).update(expires_on=TODAY - timedelta(days=1))
    with pytest.raises(UserError, match="expired"):
        reveal(world, owner)


@pytest.mark.parametrize(("scopes", "revoked", "joins"), [(BOTH, False, True), (BOTH, True, False), (["contact"], True, True)])
def test_what_is_revoked_may_not_be_offered(world, owner, ann, der, scopes, revoked, joins):
    """A DER whose owner revoked its use in markets becomes no member."""
    one = consented(ann, owner, scopes)
    if revoked:
        services.revoke(actor=ann, consent=one, reason="I left")
    actor = world.user("aggregator", "approver")
    made = building.create(actor=actor, aggregator=world.aggregator, name="A", tso=world.tso, services=["energy"])
    if joins:
        assert membership.add(actor=actor, aggregation=made, ders=[str(der.uuid)], terms=membership.Terms()).changed == 1
    else:
        with pytest.raises(membership.MembersRefused) as refused:
            membership.add(actor=actor, aggregation=made, ders=[str(der.uuid)], terms=membership.Terms())
        assert refused.value.problems[0]["code"] == "MEMBER-CONSENT" and not AggregationMember.objects.exists()


def test_only_its_parties_revoke_a_consent(world, owner, ann):
    one = consented(ann, owner)
    for actor in (world.nobody, world.user("aggregator2", "administrator")):
        with pytest.raises(NotPermitted):
            services.revoke(actor=actor, consent=one, reason="No")
    services.revoke(actor=world.user("aggregator", "filer"), consent=one, reason="Told by telephone")
    one.refresh_from_db()
    assert (one.status, one.revoked_at is not None) == ("revoked", True)


def test_personal_use_is_stated_replaced_and_taken_back(world, ann, der):
    first = services.state_use(actor=ann, der=der, kind="reserve", reserve_percent=20)
    services.state_use(actor=ann, der=der, kind="reserve", reserve_percent=30)
    services.state_use(actor=ann, der=der, kind="blackout", weekdays=[6, 7], from_time=time(22), until_time=time(6))
    assert [reports.told(use) for use in reports.uses(ann)] == ["30 % stays in reserve", "Saturday, Sunday, 22:00 to 06:00"]
    first.refresh_from_db()
    assert first.ended_at is not None
    services.end_use(actor=ann, use=reports.uses(ann)[0])
    with pytest.raises(UserError, match="already"):
        services.end_use(actor=ann, use=first)
    assert len(reports.uses(ann)) == 1
    assert Notice.objects.filter(user=world.user("aggregator", "filer"), event="personal_use").count() == 3


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": "reserve", "reserve_percent": None},
        {"kind": "reserve", "reserve_percent": 101},
        {"kind": "blackout", "weekdays": [], "from_time": time(1), "until_time": time(2)},
        {"kind": "blackout", "weekdays": [1], "from_time": time(1), "until_time": time(1)},
        {"kind": "opt_out", "starts_at": timezone.now(), "ends_at": timezone.now() - timedelta(hours=1)},
    ],
)
def test_personal_use_that_makes_no_sense(ann, der, facts):
    with pytest.raises(ValidationError):
        services.state_use(actor=ann, der=der, **facts)
    assert not PersonalUse.objects.exists()


def test_an_opt_out_is_found_by_the_interval_that_it_touches(ann, der):
    now = timezone.now()
    hour = timedelta(hours=1)
    services.state_use(actor=ann, der=der, kind="opt_out", starts_at=now, ends_at=now + 2 * hour)
    assert PersonalUse.objects.opted_out(now + hour, now + 3 * hour).exists()
    assert not PersonalUse.objects.opted_out(now + 2 * hour, now + 3 * hour).exists()


def test_only_the_owner_states_personal_use(world, ann, der):
    for actor in (world.nobody, world.user("aggregator", "administrator")):
        with pytest.raises(NotPermitted):
            services.state_use(actor=actor, der=der, kind="reserve", reserve_percent=20)
    assert not PersonalUse.objects.exists()


def test_the_owners_page_shows_what_is_the_owners_and_nothing_else(world, client_of, ann, der, django_assert_max_num_queries):
    other = registered_owner(world.aggregator, world.edc, edc_account_no="B-1")
    foreign = making.register(world, 1, prefix="F", owner=other)[0]
    reveal(world, der.owner)
    client = client_of(ann)
    with django_assert_max_num_queries(20):
        page = client.get("/registry/owners/").content.decode()
    assert der.external_id in page and foreign.external_id not in page
    assert str(world.aggregator) in page and str(world.rerra) in page and "Filer of aggregator" in page
    assert client_of(world.nobody).get("/registry/owners/").status_code == 404
    assert client.get(f"/registry/ders/{der.uuid}/").status_code == 404


@pytest.fixture
def offered(world, der):
    """The owner's DER and another owner's, members of a registered aggregation."""
    (other,) = making.register(world, 1, prefix="O")
    made = aggregate(world, [der, other], "energy", "capacity")
    with acting(None, REASON):
        Aggregation.objects.filter(pk=made.pk).update(status="registered")
    return made


def test_a_revoked_consent_ends_membership_with_its_reason_and_both_are_told(world, owner, ann, der, offered):
    """¶270: only the owner's DER, for every service, from that day on; the aggregator states the performance anew."""
    given = consented(ann, owner)
    assert consents.end_without_consent() == 0
    services.revoke(actor=ann, consent=given, reason="Sold the panels")
    job = Job.objects.get(task=services.LEAVE)
    tasks.end_without_consent(job.pk)
    assert set(offered.members.on(TODAY).values_list("der__external_id", flat=True)) == {"O-1"}
    ended = offered.members.filter(der=der)
    assert {member.valid_during.upper for member in ended} == {TODAY} and ended.count() == 2
    assert "consent" in ended.first().history.first().history_change_reason
    for user in (ann, world.user("aggregator", "filer"), world.user("tso", "administrator")):
        assert Notice.objects.filter(event="consent_ended", user=user).count() == 1
    offered.refresh_from_db()
    assert offered.restate_since == TODAY
    assert consents.end_without_consent() == 0


def test_an_expired_consent_ends_membership_by_the_beat_unless_another_holds(world, owner, ann, der, offered):
    first, second = consented(ann, owner), consented(ann, owner)
    with acting(None, REASON):
        Consent.objects.filter(pk=first.pk).update(expires_on=TODAY - timedelta(days=1))
    assert tasks.end_expired_consents() == 0
    with acting(None, REASON):
        Consent.objects.filter(pk=second.pk).update(expires_on=TODAY - timedelta(days=1))
    assert tasks.end_expired_consents() == 1
    assert set(offered.members.on(TODAY).values_list("der__external_id", flat=True)) == {"O-1"}


def test_a_consent_to_something_else_ends_no_membership(world, owner, ann, der, offered):
    services.revoke(actor=ann, consent=consented(ann, owner, ["contact"]), reason="Too many letters")
    assert consents.end_without_consent() == 0 and not Job.objects.filter(task=services.LEAVE).exists()


def test_a_membership_that_would_only_begin_never_does(world, owner, ann, der):
    made = aggregate(world, [], "energy")
    with acting(None, REASON):
        AggregationMember.objects.create(
            aggregation=made,
            der=der,
            service_id="energy",
            aggregator=world.aggregator,
            edc=world.edc,
            wholesale=True,
            valid_during=(TODAY + timedelta(days=5), None),
        )
    services.revoke(actor=ann, consent=consented(ann, owner), reason="Sold")
    assert consents.end_without_consent() == 1 and not made.members.exists()


def test_an_owners_acts_in_the_api(world, owner, ann, der, api_of):
    """As on the owner's page: what is kept, consented and taken back; to everybody else there is nothing."""
    api, base = api_of(ann), "/api/v1/registry/own/"
    made = api.post(f"{base}consents/", {"aggregator": "aggregator", "scopes": ["market"], "purpose": "Markets"})
    kept = api.post(f"{base}uses/", {"der_id": str(der.uuid), "kind": "reserve", "reserve_percent": "30"})
    assert (made.status_code, kept.status_code, kept.json()["in_words"]) == (201, 201, "30 % stays in reserve")
    wrong = api.post(f"{base}uses/", {"der_id": str(der.uuid), "kind": "blackout"})
    assert wrong.status_code == 400
    shown = api.get(base).json()
    assert [each["id"] for each in shown["ders"]] == [str(der.uuid)]
    assert (len(shown["consents"]), len(shown["uses"])) == (1, 1)
    assert {each["party"] for each in shown["seen_by"]} >= {world.aggregator.name, world.edc.name, world.rerra.name}
    note(
        actor=None, holder=world.edc.pk, filed_by=None, record="DER owner", subject=owner.subject, columns=["owner_name"], purpose="look_up"
    )
    assert [(look["purpose"], look["columns"]) for look in api.get(base).json()["looks"]] == [("look_up", ["owner_name"])]
    end, revoke = f"{base}uses/{kept.json()['id']}/end/", f"{base}consents/{made.json()[0]['id']}/revoke/"
    for one, url, reason in ((kept.json(), end, {}), (made.json()[0], revoke, {"reason": "Sold"})):
        assert api.post(url, reason).status_code == 428
        refused = api.post(url, reason, headers={"If-Match": '"another"'})
        assert refused.status_code == 412 and refused.json()["current"]["etag"] == one["etag"] == refused["ETag"]
        assert api.post(url, reason, headers={"If-Match": one["etag"]}).status_code == 204
    assert Consent.objects.get().status == "revoked" and not PersonalUse.objects.standing().exists()
    for user in (world.user("aggregator", "administrator"), world.nobody):
        assert api_of(user).get(base).status_code == 404


def test_an_owner_reads_who_took_everybodys_data_out(world, owner, ann):
    """A take-out in full of the owner's utility since the owner is on record; not that of another utility."""
    for party in (world.edc, world.edc2):
        note(actor=None, holder=party.pk, filed_by=None, record=str(party), subject=None, columns=["everybody"], purpose="takeout")
    assert [(look.record, look.get_purpose_display()) for look in reports.looks(ann)] == [
        (str(world.edc), "Taken out with the organisation's part")
    ]
