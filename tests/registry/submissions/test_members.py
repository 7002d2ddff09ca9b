"""DERs join and leave registered aggregations by filings: only they are reviewed, the others go on (R4, ¶238, ¶336, ¶338)."""

from datetime import date, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.models import Notice
from registry.aggregations.models import Aggregation, AggregationUtility
from registry.aggregations.services import membership
from registry.aggregations.services.membership import MembersRefused, Terms
from registry.ders.models import Der
from registry.submissions.membership import MemberValidation, StagedMember
from registry.submissions.models import StagedDer, Submission, UtilityReview
from registry.submissions.services import deadlines, filing, members, reviewing, validating
from tests.factories.ders import register
from tests.factories.filings import found_in, run, store_in, table, upload
from tests.factories.qualification import aggregate, law
from tests.factories.world import REASON
from tests.registry.aggregations.making import chosen

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


@pytest.fixture
def ders(world) -> list[Der]:
    """The first two are members, the others are not."""
    return register(world, 4)


@pytest.fixture
def registered(world, ders) -> Aggregation:
    with acting(None, REASON):
        law("min_aggregation_kw", "none")
        law("location_scope", "any")
        made = aggregate(world, ders[:2], participation_model="dera")
        Aggregation.objects.filter(pk=made.pk).update(status="registered")
    made.refresh_from_db()
    return made


def start(world, aggregation, ders, kind="add", terms=None, **how) -> Submission:
    actor = how.pop("actor", world.user("aggregator", "filer"))
    said = {"aggregation": aggregation, "kind": kind, "terms": terms or Terms(), "reason": "As asked"} | how
    return members.start(actor=actor, ders=chosen(ders) if ders and isinstance(ders[0], Der) else ders, **said)


def submit(world, submission: Submission) -> UtilityReview:
    version, _, _ = filing.attestation()
    actor = world.user("aggregator", "approver")
    return filing.submit(actor=actor, submission=submission, attestation_version=version).reviews.get(edc=world.edc)


def decide(world, review, **said):
    rows = StagedDer.objects.filter(submission=review.submission)
    return reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=rows, **({"kind": "approve"} | said))


def in_it(aggregation) -> set[str]:
    return set(aggregation.members.on(TODAY).values_list("der__external_id", flat=True))


def test_who_joins_is_reviewed_and_nobody_else(world, registered, ders):
    """¶336: two join; the utility reviews them only, and they are members from its approval on. The RTO is told."""
    review = submit(world, start(world, registered, ders[2:]))
    assert (review.row_count, review.scope, in_it(registered)) == (2, "changed_ders", {"D-1", "D-2"})
    assert {*review.submission.rows.values_list("external_id", "change")} == {("D-3", "changed"), ("D-4", "changed")}
    decide(world, review)
    assert in_it(registered) == {"D-1", "D-2", "D-3", "D-4"}
    review.submission.refresh_from_db()
    assert review.submission.status == "completed"
    assert Notice.objects.filter(event="members_changed", user=world.user("tso", "administrator")).count() == 1
    assert registered.members.get(der=ders[3]).history.first().history_user == world.user("edc", "reviewer")
    registered.refresh_from_db()
    assert registered.restate_since == TODAY  # ¶338


def test_the_market_may_have_the_whole_reviewed_too(world, registered, ders):
    law("change_review_scope", "same_aggregations")
    review = submit(world, start(world, registered, ders[2:3]))
    assert {*review.submission.rows.values_list("external_id", "change")} == {("D-3", "changed"), ("D-1", "in_scope"), ("D-2", "in_scope")}
    decide(world, review)
    assert in_it(registered) == {"D-1", "D-2", "D-3"}


def test_a_denied_der_does_not_join(world, registered, ders):
    review = submit(world, start(world, registered, ders[2:]))
    rows = StagedDer.objects.filter(submission=review.submission)
    actor = world.user("edc", "reviewer")
    reviewing.decide(actor=actor, review=review, rows=rows.filter(external_id="D-4"), kind="request_info", statement="Which meter?")
    reviewing.decide(actor=actor, review=review, rows=rows.filter(external_id="D-3"), kind="approve")
    assert in_it(registered) == {"D-1", "D-2", "D-3"}


def test_an_exit_is_abbreviated_and_silence_is_approval(world, registered, ders):
    """¶336: the days of an exit; nobody decides, and the member has left."""
    review = submit(world, start(world, registered, ders[:1], "drop"))
    assert timezone.localdate(review.due_at) <= TODAY + timedelta(days=11) and review.clock_rule.key == "exit_review_days"
    assert in_it(registered) == {"D-1", "D-2"}
    assert deadlines.check_deadlines(review.due_at + timedelta(minutes=1))["deemed"] == 1
    assert in_it(registered) == {"D-2"}


def test_who_left_meanwhile_need_not_leave_again(world, registered, ders):
    review = submit(world, start(world, registered, ders[:2], "drop"))
    with acting(None, REASON):
        registered.members.filter(der=ders[0]).update(valid_during=DateRange(date(2020, 1, 1), TODAY))
    decide(world, review)
    assert in_it(registered) == set()


def test_a_day_that_has_passed_is_the_day_of_the_decision(world, registered, ders):
    review = submit(world, start(world, registered, ders[2:3], terms=Terms(starts=TODAY)))
    with acting(None, REASON):
        StagedMember.objects.update(starts_on=TODAY - timedelta(days=9))
    decide(world, review)
    assert registered.members.get(der=ders[2]).valid_during.lower == TODAY


def test_what_somebody_else_took_meanwhile_does_not_join(world, registered, ders):
    """¶159: nothing is changed, and the utility is told to deny those rows."""
    review = submit(world, start(world, registered, ders[2:]))
    aggregate(world, ders[2:3], name="Quicker")
    with pytest.raises(Conflict) as refused:
        decide(world, review)
    assert refused.value.code == "MEMBER-TAKEN" and in_it(registered) == {"D-1", "D-2"}


def test_the_check_at_submission_asks_the_rules_on_members_again(world, registered, ders):
    draft = start(world, registered, ders[2:])
    aggregate(world, ders[2:3], name="Quicker")
    with acting(None, REASON):
        Submission.objects.filter(pk=draft.pk).update(checked_at=None)
    draft.refresh_from_db()
    with pytest.raises(UserError) as refused:
        submit(world, draft)
    assert refused.value.code == "ROWS-WITH-ERRORS"
    with acting(None, REASON):
        filing.submit(
            actor=world.user("aggregator", "approver"), submission=draft, attestation_version=filing.attestation()[0], only_good=True
        )
    assert draft.rows.get().external_id == "D-4"


@pytest.mark.parametrize(("ders_named", "code"), [(["D-1"], "MEMBER-ALREADY"), (["X-9"], "MEMBER-DER")])
def test_rows_with_errors_are_refused_whole(world, registered, ders_named, code):
    with pytest.raises(MembersRefused) as refused:
        start(world, registered, ders_named)
    assert [problem["code"] for problem in refused.value.problems] == [code] and not Submission.objects.exists()


def test_the_good_rows_and_what_was_left_out(world, registered, ders):
    made = start(world, registered, ["D-3", "D-1"], only_good=True)
    assert (made.row_count, made.sheet["left_out"]["bad"]) == (1, 1)
    assert made.sheet["left_out"]["problems"][0]["code"] == "MEMBER-ALREADY"


def test_by_file_in_the_background(world, registered, ders):
    filer = world.user("aggregator", "filer")
    file = upload(table([{"der": "D-3", "share_percent": "40"}, {"der": "X-1"}]), "members.csv")
    said = {"aggregation": registered, "kind": "add", "upload": file, "reason": "As asked", "only_good": True}
    made = members.receive_file(actor=filer, **said)
    run(made.job)
    made.refresh_from_db()
    assert (made.status, made.row_count, StagedMember.objects.get().share_percent) == ("draft", 1, 40)
    assert found_in(made) == set()


def test_a_file_with_errors_leaves_nothing(world, registered):
    file = upload(table([{"der": "X-1"}]), "members.csv")
    made = members.receive_file(
        actor=world.user("aggregator", "filer"), aggregation=registered, kind="drop", upload=file, reason="As asked"
    )
    job = run(made.job)
    made.refresh_from_db()
    assert (made.status, job.status, job.outcome["problems"][0]["code"]) == ("withdrawn", "failed", "MEMBER-DER")
    assert not StagedMember.objects.exists()


def test_a_draft_aggregation_is_built_freely_and_a_registered_one_is_not(world, registered, ders):
    filer = world.user("aggregator", "filer")
    for verb, listed in ((membership.add, ders[2:]), (membership.drop, ders[:1])):
        with pytest.raises(Conflict) as refused:
            verb(actor=filer, aggregation=registered, ders=chosen(listed), terms=Terms())
        assert refused.value.code == "MEMBERS-BY-FILING"
    draft = aggregate(world, [], name="Draft", status="draft")
    membership.add(actor=filer, aggregation=draft, ders=chosen(ders[2:]), terms=Terms())
    assert in_it(draft) == {"D-3", "D-4"}
    with pytest.raises(Conflict) as refused:
        start(world, draft, ders[:1], "drop")
    assert refused.value.code == "MEMBERS-FREE"


def test_facts_are_not_changed_by_it(world, registered, ders):
    """What is typed into a row of such a filing would have no effect, so it is refused."""
    made = start(world, registered, ders[2:])
    filer = world.user("aggregator", "filer")
    with pytest.raises(Conflict) as refused:
        filing.save_row(actor=filer, submission=made, values={"firmware": "3"}, row=made.rows.first())
    assert refused.value.code == "FILING-WITHOUT-FACTS"


def test_a_reviewing_utility_sees_the_aggregation_from_then_on(world, registered, ders):
    (theirs,) = register(world, 1, edc="edc2", prefix="E")
    made = start(world, registered, [theirs])
    seen = AggregationUtility.objects.filter(aggregation=registered, edc=world.edc2)
    reviewer = world.user("edc2", "administrator")
    assert not seen.exists() and not StagedMember.objects.visible_to(reviewer).exists()
    version, _, _ = filing.attestation()
    filing.submit(actor=world.user("aggregator", "approver"), submission=made, attestation_version=version)
    assert seen.exists() and StagedMember.objects.visible_to(reviewer).count() == 1


@pytest.mark.parametrize(("organization", "role"), [("aggregator", "viewer"), ("aggregator2", "administrator"), ("edc", "administrator")])
def test_who_may_not_file_changes_nothing(world, registered, ders, organization, role):
    with pytest.raises(NotPermitted):
        start(world, registered, ders[2:], actor=world.user(organization, role))
    assert not Submission.objects.exists()


def waiting(world, registered, ders) -> MemberValidation:
    """Approved by the utility, in a market whose RTO validates who joins."""
    law("member_change_validation", "validates")
    decide(world, submit(world, start(world, registered, ders[2:])))
    return MemberValidation.objects.get()


def test_the_rto_validates_where_its_rule_set_says_so(world, registered, ders):
    """The utilities' approval alone makes no member there; with the RTO's they are, and the aggregator is told."""
    found, actor = waiting(world, registered, ders), world.user("tso", "administrator")
    assert (found.status, found.row_count, found.figures) == ("open", 2, [{"technology": "photovoltaic", "ders": 2, "kw": 7.0}])
    assert in_it(registered) == {"D-1", "D-2"}
    with pytest.raises(NotPermitted):
        validating.validate(actor=world.user("aggregator", "administrator"), validation=found)
    done = validating.validate(actor=actor, validation=found, statement="Welcome")
    assert (done.status, in_it(registered)) == ("validated", {"D-1", "D-2", "D-3", "D-4"})
    assert Notice.objects.filter(event="members_validated", user=world.user("aggregator", "filer")).exists()
    with pytest.raises(Conflict):
        validating.deny(actor=actor, validation=found, rule="PQ-AGG-SMALL")


def test_the_rto_denies_by_a_rule_that_would_be_broken_only(world, registered, ders):
    """¶160: not at will. The rules are asked with them as members, and nothing of that is kept."""
    found, actor = waiting(world, registered, ders), world.user("tso", "administrator")
    with pytest.raises(Conflict) as refused:
        validating.deny(actor=actor, validation=found, rule="PQ-AGG-INJECTION")
    assert refused.value.code == "DENIAL-RULE" and in_it(registered) == {"D-1", "D-2"}
    with acting(None, REASON):
        Aggregation.objects.filter(pk=registered.pk).update(stated_on=None)
    with pytest.raises(Conflict) as refused:
        validating.validate(actor=actor, validation=found)
    assert refused.value.code == "NOT-QUALIFIED" and in_it(registered) == {"D-1", "D-2"}
    done = validating.deny(actor=actor, validation=found, rule="PQ-AGG-UNSTATED")
    assert (done.status, done.rule, in_it(registered)) == ("denied", "PQ-AGG-UNSTATED", {"D-1", "D-2"})


def test_a_late_rto_is_told_once_and_nothing_is_deemed(world, registered, ders):
    found = waiting(world, registered, ders)
    with acting(None, REASON):
        MemberValidation.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    assert [validating.check_clocks(), validating.check_clocks()] == [1, 0]
    found.refresh_from_db()
    assert found.status == "open" and Notice.objects.filter(event="members_overdue").count() >= 2


def test_who_leaves_is_only_told_to_the_rto(world, registered, ders):
    law("member_change_validation", "validates")
    decide(world, submit(world, start(world, registered, ders[:1], "drop")))
    assert in_it(registered) == {"D-2"} and not MemberValidation.objects.exists()


def test_the_pages_lead_from_the_aggregation_to_the_draft(world, registered, ders, client_of):
    client = client_of(world.user("aggregator", "filer"))
    members_page = client.get(f"/registry/aggregations/{registered.uuid}/members/").content.decode()
    join = f"/registry/aggregations/{registered.uuid}/members/join/"
    assert join in members_page and "members/add/" not in members_page
    bad = client.post(join, {"how": "list", "ders": "D-1", "reason": "Sold"})
    assert bad.status_code == 422 and "MEMBER-ALREADY" in bad.content.decode()
    done = client.post(join, {"how": "list", "ders": "D-3", "reason": "Sold"}, follow=True)
    shown = done.content.decode()
    assert done.status_code == 200 and "DERs join" in shown and str(registered) in shown and "Add a DER" not in shown


def test_the_api_files_the_same(world, registered, ders, api_of):
    api = api_of(world.user("aggregator", "filer"))
    body = {"aggregation": str(registered.uuid), "kind": "add", "reason": "Sold", "ders": ["D-3"], "share_percent": "50"}
    made = api.post("/api/v1/registry/submissions/members/", body)
    assert (made.status_code, made.json()["kind"], made.json()["aggregation"]) == (201, "add", str(registered.uuid))
    assert StagedMember.objects.get().share_percent == 50
    again = api.post("/api/v1/registry/submissions/members/", body | {"ders": ["D-1"]})
    assert (again.status_code, again.json()["code"]) == (422, "MEMBERS-REFUSED")
