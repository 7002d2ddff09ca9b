"""Later changes of registered DERs run through the engine: kinds, what takes a review, exits, homes sold, scope (R1, R4, ¶336, ¶338)."""

from copy import deepcopy
from datetime import timedelta

import pytest
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.rulesets.models import RuleSet
from registry.aggregations.models import Aggregation, AggregationMember
from registry.ders.models import Der
from registry.participants.services import opened
from registry.submissions.models import Decision, StagedDer, Submission
from registry.submissions.services import changes, classifying, deadlines, filing, reviewing
from tests.factories.filings import found_in, reviewed, row, store_in
from tests.sharing import standing

pytestmark = pytest.mark.django_db
VEHICLE = {"der_type": "electric_vehicle", "energy_capacity_kwh": "60", "edc_account_no": "100001"}


@pytest.fixture(autouse=True)
def _files(settings, folder) -> None:
    store_in(settings, folder)


def registered(world) -> list[Der]:
    """Three registered DERs; the first two at one home."""
    review = reviewed(
        world,
        [
            row(1),
            row(2, usage_point_id="edc-up-01", **VEHICLE),
            row(3),
        ],
    )
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=StagedDer.objects.all(), kind="approve")
    return list(Der.objects.order_by("external_id"))


@pytest.fixture(scope="module")
def standing_ders(standing_world, folder):
    return standing(registered, standing_world, folder)


@pytest.fixture
def ders(world, standing_ders) -> list[Der]:
    return deepcopy(standing_ders)


@pytest.fixture
def filer(world):
    return world.user("aggregator", "filer")


def only(*ders: Der):
    return Der.objects.filter(pk__in=[der.pk for der in ders])


def start(world, kind: str, *ders: Der, **how) -> Submission:
    actor = how.pop("actor", world.user("aggregator", "filer"))
    return changes.start(actor=actor, aggregator=world.aggregator, kind=kind, ders=only(*ders), reason="As asked", **how)


def submit(world, submission: Submission) -> Submission:
    version, _, _ = filing.attestation()
    return filing.submit(actor=world.user("aggregator", "approver"), submission=submission, attestation_version=version)


def approve(world, submission: Submission, **terms) -> Decision:
    said = {"kind": "approve"} | terms
    return reviewing.decide(
        actor=world.user("edc", "reviewer"), review=submission.reviews.get(), rows=StagedDer.objects.filter(submission=submission), **said
    )


def member(world, *ders: Der, **facts) -> Aggregation:
    """An aggregation of the DERs."""
    agents = dict.fromkeys(("market_agent", "dispatch_agent", "meter_reader"), world.aggregator)
    with acting(None, "system: tests"):
        made = Aggregation.objects.create(aggregator=world.aggregator, tso=world.tso, services=["energy"], name="A", **agents, **facts)
        for der in ders:
            AggregationMember.objects.create(
                aggregation=made,
                der=der,
                service_id="energy",
                aggregator=world.aggregator,
                edc=world.edc,
                wholesale=True,
                valid_during=("2026-01-01", None),
            )
    return made


def test_a_change_of_capacity_takes_the_utilitys_review_of_the_changed_der_only(world, ders):
    """¶336: the changed DER is reviewed, the rest keeps operating and is not in the review."""
    submission = submit(world, start(world, "modify", *ders, values={ders[0].pk: {"nameplate_ac_kw": "9.9", "rated_kva": "9.9"}}))
    review = submission.reviews.get()
    assert (submission.status, review.row_count, review.scope) == ("in_review", 1, "changed_ders")
    assert dict(submission.rows.values_list("external_id", "change")) == {"A-1": "changed", "A-2": "unchanged", "A-3": "unchanged"}
    ders[0].refresh_from_db()
    assert float(ders[0].nameplate_ac_kw) == 7.6
    approve(world, submission)
    ders[0].refresh_from_db()
    assert float(ders[0].nameplate_ac_kw) == 9.9 and ders[0].history.first().history_user == world.user("edc", "reviewer")


def test_a_notice_is_effective_at_once_and_keeps_the_utilitys_limits(world, ders):
    """The field table is data: what is a notice in a market says a rule set row."""
    with acting(None, "system: tests"):
        only(ders[0]).update(export_limit_kw=5)
    submission = submit(world, start(world, "modify", ders[0], values={ders[0].pk: {"firmware": "2.1", "owner_email": "new@example.org"}}))
    ders[0].refresh_from_db()
    decision = Decision.objects.get(review__submission=submission)
    assert (submission.status, ders[0].firmware, float(ders[0].export_limit_kw)) == ("completed", "2.1", 5)
    assert (decision.kind, decision.decided_by, submission.rows.get().status) == ("notice", None, "noted")
    assert opened(ders[0].owner)["owner_email"] == "new@example.org"
    assert ders[0].history.first().history_user == world.user("aggregator", "approver")


def test_the_same_field_takes_a_review_where_the_market_says_so(world, ders):
    with acting(None, "system: tests"):
        RuleSet.objects.filter(key="notice_only_fields").update(value=["meter_id"])
    submission = submit(world, start(world, "modify", ders[0], values={ders[0].pk: {"firmware": "2.1"}}))
    assert (submission.status, submission.rows.get().change) == ("in_review", "changed")


def test_one_field_that_takes_a_review_takes_it_for_the_row(world, ders):
    submission = submit(world, start(world, "modify", ders[0], values={ders[0].pk: {"firmware": "2.1", "meter_id": "M-9"}}))
    assert (submission.status, submission.rows.get().change) == ("in_review", "changed")


def test_an_outage_of_record_and_the_return_are_notices(world, ders):
    submit(world, start(world, "suspend", *ders[:2]))
    assert list(Der.objects.order_by("external_id").values_list("status", flat=True)) == ["inactive", "inactive", "active"]
    version = ders[0].history.first()
    assert (version.history_user, version.history_change_reason) == (world.user("aggregator", "approver"), "As asked")
    submit(world, start(world, "reinstate", ders[0]))
    assert list(Der.objects.order_by("external_id").values_list("status", flat=True)) == ["active", "inactive", "active"]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("suspend", "inactive", "CHANGE-NOT-IN-SERVICE"),
        ("reinstate", "active", "CHANGE-IN-SERVICE"),
        ("modify", "decommissioned", "CHANGE-RETIRED"),
    ],
)
def test_a_change_from_the_wrong_status_is_found(world, ders, kind, status, code):
    with acting(None, "system: tests"):
        only(ders[0]).exclude(status=status).update(status=status)
    submission = start(world, kind, ders[0])
    assert (1, code) in found_in(submission)
    with pytest.raises(UserError):
        submit(world, submission)


def test_a_change_finds_nothing_wrong_with_what_is_right(world, ders):
    for kind in ("modify", "suspend", "retire"):
        assert not {code for _, code in found_in(start(world, kind, *ders)) if code.startswith("CHANGE")}


def test_a_file_in_a_change_names_only_registered_ders(world, ders):
    submission = start(world, "modify", ders[0])
    filing.save_row(actor=world.user("aggregator", "filer"), submission=submission, values={"external_id": "A-9", "nameplate_ac_kw": "7.6"})
    assert (2, "CHANGE-UNKNOWN") in found_in(submission) and (1, "CHANGE-UNKNOWN") not in found_in(submission)


def test_retirement_is_abbreviated_and_ends_memberships(world, ders):
    """¶336: an exit is reviewed with a short clock, and silence is approval; the aggregation goes on without the DER (¶338)."""
    today = timezone.localdate()
    aggregation = member(world, *ders, stated_on="2026-01-01", stated_kw=20)
    submission = submit(world, start(world, "retire", ders[0]))
    review = submission.reviews.get()
    assert (review.due_at - review.started_at).days in (10, 11) and review.clock_rule.key == "exit_review_days"
    deadlines.check_deadlines(review.due_at + timedelta(minutes=1))
    ders[0].refresh_from_db()
    aggregation.refresh_from_db()
    assert (ders[0].status, ders[0].decommissioned_on, submission.rows.get().status) == ("decommissioned", today, "deemed_approved")
    assert aggregation.members.get(der=ders[0]).valid_during.upper == today and aggregation.restate_since == today
    assert aggregation.members.get(der=ders[1]).valid_during.upper is None


def test_nothing_retires_in_the_future_or_without_a_day(world, ders):
    late = start(world, "retire", ders[0], day=timezone.localdate() + timedelta(days=2))
    never = start(world, "retire", ders[1], values={ders[1].pk: {"decommissioned_on": None}})
    assert (1, "CHANGE-NO-LAST-DAY") in found_in(late) and (1, "CHANGE-NO-LAST-DAY") in found_in(never)


def sell(world, stay, leave, **given) -> Submission:
    owner = {"edc_account_no": "777", "owner_name": "Next"} | given.pop("owner", {})
    said = {"consent_reference": "C-77", "moves_to": "edc-up-03", "reason": "Sold"} | given
    return changes.sell_home(actor=world.user("aggregator", "filer"), stay=only(*stay), leave=only(*leave), owner=owner, **said)


def test_a_home_is_sold_the_roof_stays_and_the_vehicle_moves(world, ders):
    """The photovoltaic system goes to the next owner with another consent; the vehicle and its owner go to another service point."""
    submission = submit(world, sell(world, [ders[0]], [ders[1]]))
    assert (submission.kind, submission.status, submission.reviews.get().row_count) == ("relocate", "in_review", 2)
    approve(world, submission)
    roof, car = Der.objects.get(external_id="A-1"), Der.objects.get(external_id="A-2")
    assert (opened(roof.owner)["edc_account_no"], roof.consent_reference, roof.service_point.usage_point_id) == ("777", "C-77", "edc-up-01")
    assert (opened(car.owner)["edc_account_no"], car.consent_reference, car.service_point.usage_point_id) == ("100001", "C-2", "edc-up-03")


def test_a_vehicle_with_nowhere_to_go_retires(world, ders):
    approve(world, submit(world, sell(world, [ders[0]], [ders[1]], moves_to="")))
    assert dict(Der.objects.values_list("external_id", "status")) == {"A-1": "active", "A-2": "decommissioned", "A-3": "active"}


def test_another_owner_has_another_account_and_consents_anew(world, ders):
    same = sell(world, [ders[2]], [], owner={"edc_account_no": "100003"})
    kept = sell(world, [ders[2]], [], consent_reference="C-3")
    assert same.kind == "transfer_owner" and (1, "CHANGE-SAME-OWNER") in found_in(same) and (1, "CHANGE-CONSENT") not in found_in(same)
    assert (1, "CHANGE-CONSENT") in found_in(kept) and (1, "CHANGE-SAME-OWNER") not in found_in(kept)


def test_two_homes_are_not_sold_at_once(world, ders):
    with pytest.raises(UserError, match="one place"):
        sell(world, ders, [])


def test_a_utility_widens_the_scope_with_a_reason_and_the_rest_keeps_operating(world, ders, api_of):
    """¶336: which DERs a utility may look at is contested; the wider look is said, and decides nothing about facts."""
    member(world, *ders[:2])
    submission = submit(world, start(world, "modify", ders[0], values={ders[0].pk: {"meter_id": "M-9"}}))
    review, reviewer = submission.reviews.get(), world.user("edc", "reviewer")
    with pytest.raises(UserError):
        classifying.widen(actor=reviewer, review=review, reason=" ")
    with pytest.raises(NotPermitted):
        classifying.widen(actor=world.user("aggregator", "approver"), review=review, reason="I may not")
    api, one = api_of(reviewer), f"/api/v1/registry/reviews/{review.uuid}/"
    assert api.post(f"{one}scope/", {"reason": "The feeder is full"}).status_code == 428
    late = api.post(f"{one}scope/", {"reason": "The feeder is full"}, headers={"If-Match": '"another"'})
    assert (late.status_code, late.json()["current"]["scope"]) == (412, "changed_ders")
    assert api.post(f"{one}scope/", {"reason": "The feeder is full"}, headers={"If-Match": late["ETag"]}).status_code == 200
    review.refresh_from_db()
    assert (review.row_count, review.scope, review.scope_reason) == (2, "same_aggregations", "The feeder is full")
    assert submission.rows.get(external_id="A-2").change == "in_scope"
    with pytest.raises(Conflict):
        classifying.widen(actor=reviewer, review=review, reason="Again")
    before = ders[1].history.count()
    approve(world, submission)
    ders[1].refresh_from_db()
    assert (ders[1].status, ders[1].history.count(), submission.rows.get(external_id="A-2").status) == ("active", before, "approved")


def test_a_market_may_start_with_the_wider_scope(world, ders):
    member(world, *ders[:2])
    with acting(None, "system: tests"):
        RuleSet.objects.filter(key="change_review_scope", authority="").update(value="same_aggregations")
    submission = submit(world, start(world, "modify", ders[0], values={ders[0].pk: {"meter_id": "M-9"}}))
    assert (submission.reviews.get().scope, submission.reviews.get().row_count) == ("same_aggregations", 2)


def test_limits_of_a_wider_review_reach_the_unchanged_der(world, ders):
    member(world, *ders[:2])
    submission = submit(world, start(world, "modify", ders[0], values={ders[0].pk: {"meter_id": "M-9"}}))
    classifying.widen(actor=world.user("edc", "reviewer"), review=submission.reviews.get(), reason="Full")
    approve(world, submission, kind="approve_limited", export_limit_kw=3)
    assert {float(limit) for limit in only(*ders[:2]).values_list("export_limit_kw", flat=True)} == {3}


@pytest.mark.parametrize(("kind", "reason", "code"), [("register", "As asked", "CHANGE-KIND"), ("modify", " ", "REASON")])
def test_a_change_without_kind_or_reason_is_refused(world, ders, filer, kind, reason, code):
    with pytest.raises(UserError) as refused:
        changes.start(actor=filer, aggregator=world.aggregator, kind=kind, ders=only(*ders), reason=reason)
    assert refused.value.code == code and Submission.objects.count() == 1


def test_nobody_changes_the_ders_of_others(world, ders):
    """A filer of another aggregator gets no row of them, and no draft stays."""
    stranger = world.user("aggregator2", "administrator")
    with pytest.raises(UserError) as refused:
        changes.start(actor=stranger, aggregator=world.aggregator2, kind="retire", ders=only(*ders), reason="Mine now")
    assert refused.value.code == "CHANGE-EMPTY" and Submission.objects.count() == 1
    with pytest.raises(NotPermitted):
        start(world, "retire", ders[0], actor=stranger)
