"""Review rules and practice: each change begins on a day, is seen beforehand, and touches no row that was decided."""

from datetime import date

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import QuerySet
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.errors import UserError
from moc.history import acting
from registry.submissions.models import Finding, StagedDer, UtilityReview
from registry.submissions.services.staging import insert_findings
from registry.utilities.models import ReviewPractice, ReviewRule
from registry.utilities.rules import as_rule, code_of, codes_of, fields_for, label_of

PERMISSION = "manage_utility"


def open_rows(edc: Organization) -> QuerySet[StagedDer]:
    """The rows that the utility has yet to decide."""
    reviews = UtilityReview.objects.undecided().filter(edc=edc).values("submission_id")
    return StagedDer.objects.filter(edc=edc, submission_id__in=reviews, status__in=StagedDer.OPEN).to_review()


def preview(*, actor, rule: ReviewRule) -> tuple[QuerySet[StagedDer], int]:
    """(the open rows that a rule, saved or not, would find, how many rows are open). Raises UserError for a rule that makes no sense."""
    policy.require(actor, PERMISSION, rule.edc)
    check(rule)
    rows = open_rows(rule.edc)
    return as_rule(rule)(rows).order_by("submission_id", "row_number"), rows.count()


def check(rule: ReviewRule) -> None:
    """Raise UserError for a rule that asks what its column cannot hold."""
    if rule.field not in fields_for(rule.kind):
        raise UserError(
            f"“{rule.get_kind_display()}” cannot be asked of this column.",
            f"Choose one of: {', '.join(fields_for(rule.kind))}.",
            "REVIEW-RULE",
        )
    unknown = [code for code in rule.codes if code not in codes_of(rule.field)]
    if unknown:
        known = ", ".join(codes_of(rule.field))
        raise UserError(f"{label_of(rule.field)} has no code {unknown[0]}.", f"Its codes are: {known}.", "REVIEW-RULE")
    rule.clean_fields(exclude=["valid_during"])
    rule.validate_constraints()


def starting(on: date) -> date:
    """The day on which a change begins: today or later, for what was judged by the old rules stays judged. Raises UserError."""
    if on < timezone.localdate():
        raise UserError("A change begins today or later.", "Choose a later day.", "STARTS-ON")
    return on


@transaction.atomic
def set_rule(*, actor, rule: ReviewRule, starts_on: date, ends_on: date | None = None, replaces: ReviewRule | None = None) -> ReviewRule:
    """Put a new rule in force from a day on, in the place of another or beside them.

    What aggregators file and check from then on is held against it; rows that wait for a decision get its findings at once when it begins
    today. Rows that were decided keep theirs.
    """
    policy.require(actor, PERMISSION, rule.edc)
    check(rule)
    rule.valid_during = DateRange(starting(starts_on), ends_on)
    if ends_on is not None and ends_on <= starts_on:
        raise UserError("The rule would end before it begins.", "Choose a later last day, or none.", "ENDS-ON")
    with acting(actor, f"Review rule: {label_of(rule.field)}"):
        if replaces is not None:
            end_rule(actor=actor, rule=replaces, on=starts_on)
        rule.save(force_insert=True)
        if starts_on == timezone.localdate():
            insert_findings(open_rows(rule.edc), [as_rule(rule)])
    return rule


@transaction.atomic
def end_rule(*, actor, rule: ReviewRule, on: date) -> ReviewRule:
    """End a rule on a day, the first on which it is no longer in force; one that has not begun by then never is."""
    policy.require(actor, PERMISSION, rule.edc)
    with acting(actor, f"Review rule ended: {label_of(rule.field)}"):
        locked = ReviewRule.objects.select_for_update(of=("self",)).select_related("edc").get(pk=rule.pk)
        _end(locked, starting(on))
        if on == timezone.localdate():
            Finding.objects.filter(row__in=open_rows(rule.edc), code=code_of(rule)).delete()
    return locked


def _end(row: ReviewRule | ReviewPractice, on: date) -> None:
    first, last = row.valid_during.lower, row.valid_during.upper
    if row.valid_during.isempty or (last is not None and last <= on):
        raise UserError("It is over by then.", "Reload the page.", "ENDED")
    row.valid_during = DateRange(first, max(first, on))
    row.save(update_fields=["valid_during"])


@transaction.atomic
def set_practice(*, actor, edc: Organization, reviewers: list[int], limits_by_file: bool, starts_on: date) -> ReviewPractice:
    """How the utility reviews from a day on; what was in force, or was to be, ends there."""
    policy.require(actor, PERMISSION, edc)
    strangers = set(reviewers) - set(policy.holders("review_ders", edc).values_list("pk", flat=True))
    if strangers:
        raise UserError("Some of the reviewers do not review for this utility.", "Choose people who do.", "REVIEWERS")
    with acting(actor, "Review practice"):
        for row in ReviewPractice.objects.select_for_update().filter(edc=edc).not_over(starting(starts_on)):
            _end(row, starts_on)
        return ReviewPractice.objects.create(
            edc=edc, reviewers=sorted(reviewers), limits_by_file=limits_by_file, valid_during=DateRange(starts_on, None)
        )
