"""A utility's own review rules and practice: N13, N3. Each kind of demand with a row that passes and a row that fails."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from registry.administration.services import rules
from registry.submissions.models import Finding, Submission
from registry.submissions.services import decision_files, filing, reviewing
from registry.utilities.models import ReviewPractice, ReviewRule
from registry.utilities.rules import as_rule, code_of, fields_for, rule_of
from tests.factories.filings import found_in, on_disk, reviewed, row, staged, store_in, submitted, table

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()

# kind → (the rule, what makes a row wrong); the row without it is right
CASES = {
    "at_most": (
        {"field": "approved_export_kw", "number": Decimal(25)},
        {"nameplate_ac_kw": "26", "rated_kva": "26", "approved_export_kw": "26"},
    ),
    "at_least": ({"field": "rated_kva", "number": Decimal(7)}, {"nameplate_ac_kw": "6", "rated_kva": "6", "approved_export_kw": "6"}),
    "required": ({"field": "serial_no"}, {"serial_no": ""}),
    "one_of": ({"field": "inverter_certification", "codes": ["ul1741sa", "ul1741sb"]}, {"inverter_certification": ""}),
    "includes": ({"field": "control_modes", "codes": ["volt_var"]}, {"control_modes": "freq_watt"}),
}


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


def rule_for(world, edc: str = "edc", **facts) -> ReviewRule:
    return ReviewRule(
        edc=world.organizations[edc], **{"field": "serial_no", "kind": "required", "remedy": "Read it from the device."} | facts
    )


def set_rule(world, edc: str = "edc", starts_on=TODAY, **facts) -> ReviewRule:
    return rules.set_rule(actor=world.user(edc, "administrator"), rule=rule_for(world, edc, **facts), starts_on=starts_on)


def test_every_kind_of_demand_has_a_case():
    assert set(CASES) == set(ReviewRule.Kind.values)


@pytest.mark.parametrize("kind", CASES)
def test_demand(world, kind):
    """The right row has no finding; the wrong one has the utility's, with column, value, its name, sentence and remedy."""
    facts, wrong = CASES[kind]
    made = set_rule(world, kind=kind, **facts)
    submission = staged(world, [row(1), row(2, **wrong)])
    assert found_in(submission) == {(3, code_of(made))}
    finding = submission.findings.get()
    assert (finding.column, finding.value, finding.severity) == (facts["field"], wrong.get(facts["field"], ""), "error")
    assert world.edc.name in finding.rule.sentence and finding.rule.remedy == "Read it from the device."


def test_an_error_keeps_a_row_from_submission_and_a_warning_does_not(world):
    set_rule(world, severity="warning")
    assert submitted(world, [row(1, serial_no="")]).status == Submission.Status.IN_REVIEW
    set_rule(world, field="model")
    with pytest.raises(UserError) as refused:
        submitted(world, [row(2, model="")])
    assert refused.value.code == "ROWS-WITH-ERRORS"


def test_a_rule_holds_only_for_its_utility_technology_and_size(world):
    set_rule(world, "edc2")
    set_rule(world, technologies=["storage"])
    set_rule(world, field="model", from_kw=Decimal(8))
    assert found_in(staged(world, [row(1, serial_no="", model="")])) == set()
    large = row(2, model="", nameplate_ac_kw="8", rated_kva="8")
    stored = row(3, serial_no="", der_type="storage", energy_capacity_kwh="10")
    assert {number for number, _ in found_in(staged(world, [large, stored]))} == {2, 3}


def test_a_form_is_held_against_the_rule_too(world):
    """One engine: a row saved by form has the same finding as one of a file."""
    made = set_rule(world)
    draft = filing.create_draft(actor=world.user("aggregator", "filer"), aggregator=world.aggregator, title="By form")
    values = {"external_id": "A-1", "utility_id_eia": 9726, "usage_point_id": "edc-up-01", "der_type": "photovoltaic"}
    saved = filing.save_row(actor=world.user("aggregator", "filer"), submission=draft, values=values)
    assert saved.findings.filter(code=code_of(made), column="serial_no").exists()
    filing.save_row(actor=world.user("aggregator", "filer"), submission=draft, values={"external_id": "A-1", "serial_no": "S-1"}, row=saved)
    assert not saved.findings.filter(code=code_of(made)).exists()


def test_a_change_touches_open_rows_and_no_decided_one(world):
    """N13: what was decided stands as it was judged; what waits gets the finding, and loses it when the rule ends."""
    review = reviewed(world, [row(1, serial_no=""), row(2, serial_no=""), row(3)])
    reviewing.decide(
        actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.filter(external_id="A-1"), kind="approve"
    )
    decided = review.submission.rows.get(external_id="A-1")
    hits, number = rules.preview(actor=world.user("edc", "administrator"), rule=rule_for(world))
    assert (set(hits.values_list("external_id", flat=True)), number) == ({"A-2"}, 2)
    assert not Finding.objects.exists(), "a preview writes nothing"
    made = set_rule(world)
    assert set(Finding.objects.values_list("row__external_id", flat=True)) == {"A-2"}
    assert review.submission.rows.get(external_id="A-1").status == decided.status
    changed = rules.set_rule(
        actor=world.user("edc", "administrator"), rule=rule_for(world, field="firmware"), starts_on=TODAY, replaces=made
    )
    assert set(Finding.objects.values_list("row__external_id", "code")) == {("A-2", code_of(changed)), ("A-3", code_of(changed))}
    rules.end_rule(actor=world.user("edc", "administrator"), rule=changed, on=TODAY)
    assert not Finding.objects.exists()


def test_rules_begin_and_end_on_days(world):
    """A rule to come finds nothing yet, one that is over nothing any more; its sentence stays for what it found."""
    set_rule(world, starts_on=TODAY + timedelta(days=1))
    with acting(None, "system: tests"):
        over = rule_for(world)
        over.valid_during = DateRange(TODAY - timedelta(days=9), TODAY)
        over.save()
    assert found_in(staged(world, [row(1, serial_no="")])) == set()
    assert rule_of(code_of(over)).sentence == as_rule(over).sentence
    with pytest.raises(UserError):
        set_rule(world, starts_on=TODAY - timedelta(days=1))
    with pytest.raises(UserError):
        rules.end_rule(actor=world.user("edc", "administrator"), rule=over, on=TODAY)


def test_a_rule_is_never_rewritten_and_its_history_says_who(world):
    made = set_rule(world)
    rules.end_rule(actor=world.user("edc", "administrator"), rule=made, on=TODAY + timedelta(days=3))
    first, last = made.history.order_by("history_id")
    assert (first.history_user, last.history_type) == (world.user("edc", "administrator"), "~")
    assert (last.field, last.kind, last.valid_during.upper) == (first.field, first.kind, TODAY + timedelta(days=3))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"field": "owner_name"}, "REVIEW-RULE"),
        ({"field": "serial_no", "kind": "at_most", "number": Decimal(1)}, "REVIEW-RULE"),
        ({"field": "der_type", "kind": "one_of", "codes": ["sunbeam"]}, "REVIEW-RULE"),
    ],
)
def test_what_a_column_cannot_hold_is_refused(world, facts, code):
    with pytest.raises(UserError) as refused:
        set_rule(world, **facts)
    assert refused.value.code == code and refused.value.remedy
    assert not ReviewRule.objects.exists()


def test_no_rule_can_ask_for_personal_columns():
    assert not {"owner_name", "owner_email", "edc_account_no"} & {name for kind in ReviewRule.Kind for name in fields_for(kind)}


def test_only_the_utilitys_administrator_sets_rules(world):
    """N2, N3."""
    for organization, role in (
        ("edc", "approver"),
        ("edc2", "administrator"),
        ("aggregator", "administrator"),
        ("operator", "administrator"),
    ):
        with pytest.raises(NotPermitted):
            rules.set_rule(actor=world.user(organization, role), rule=rule_for(world), starts_on=TODAY)
        with pytest.raises(NotPermitted):
            rules.preview(actor=world.user(organization, role), rule=rule_for(world))
        with pytest.raises(NotPermitted):
            rules.set_practice(actor=world.user(organization, role), edc=world.edc, reviewers=[], limits_by_file=False, starts_on=TODAY)
    assert not ReviewRule.objects.exists() and not ReviewPractice.objects.exists()


def practice(world, **how) -> ReviewPractice:
    given = {"reviewers": [], "limits_by_file": True, "starts_on": TODAY} | how
    return rules.set_practice(actor=world.user("edc", "administrator"), edc=world.edc, **given)


def test_new_reviews_go_to_the_reviewer_with_the_fewest(world):
    reviewer, approver = world.user("edc", "reviewer"), world.user("edc", "approver")
    assert reviewed(world, [row(9)]).assigned_to is None
    practice(world, reviewers=[reviewer.pk, approver.pk])
    given = [reviewed(world, [row(n)]).assigned_to for n in (1, 2, 3)]
    assert given[:2] in ([reviewer, approver], [approver, reviewer]) and given[2] == given[0]
    with acting(None, "system: tests"):
        approver.memberships.update(is_active=False)
    assert reviewed(world, [row(4)]).assigned_to == reviewer, "who no longer reviews gets nothing"
    with pytest.raises(UserError):
        practice(world, reviewers=[world.user("edc2", "reviewer").pk])


def test_limits_by_file_only_where_the_practice_allows_it(world):
    review = reviewed(world, [row(1), row(2)])
    file = table(
        [{"external_id": "A-1", "decision": "approve_limited", "export_limit_kw": "4"}, {"external_id": "A-2", "decision": "approve"}]
    )
    practice(world, limits_by_file=False)
    with pytest.raises(decision_files.DecisionFileRefused) as refused:
        decision_files.decide_by_file(actor=world.user("edc", "reviewer"), review=review, upload=on_disk(file))
    assert [(problem["row"], problem["code"]) for problem in refused.value.problems] == [(2, "DECISION-LIMITS-BY-FILE")]
    practice(world, limits_by_file=True)
    assert decision_files.decide_by_file(actor=world.user("edc", "reviewer"), review=review, upload=on_disk(file)).row_count == 2


def test_practice_is_dated_and_one_a_day(world):
    practice(world, limits_by_file=False, starts_on=TODAY + timedelta(days=5))
    practice(world, limits_by_file=True)
    in_force = ReviewPractice.objects.on(TODAY + timedelta(days=6)).get()
    assert in_force.limits_by_file and ReviewPractice.objects.count() == 2
