"""What qualification adds to each role's home page."""

from django.db.models import QuerySet
from django.urls import reverse

from moc.access import policy
from moc.portal.queues import Work, queue
from moc.rulesets.models import RuleChange
from registry.aggregations.models import Aggregation
from registry.prequalification.models import Qualification

ENTRY, NEEDS = "registry:qualification_list", ("uuid", "name", "aggregator__name")
Status = Aggregation.Status


def _rows(user, permission: str, *statuses: Status) -> QuerySet:
    return Aggregation.objects.visible_to(user, permission).filter(status__in=statuses)


def _aggregation(row: dict) -> tuple[str, str]:
    return f"{row['name']}, {row['aggregator__name']}", reverse("registry:aggregation_checklist", args=[row["uuid"]])


def _url(status: str = "") -> str:
    return reverse("registry:validation_list") + (f"?status={status}" if status else "")


@queue
def to_validate(user) -> Work | None:
    """Aggregations that wait for the user's RTO."""
    if not policy.reach(user, "validate_aggregations"):
        return None
    rows, hint = _rows(user, "validate_aggregations", Status.SUBMITTED), "Validate, or deny by a rule."
    return Work("Aggregations to validate", _url(), rows, hint, 10, "due_at", NEEDS, _aggregation, ENTRY)


@queue
def to_suspend(user) -> Work | None:
    """Registered aggregations of the user's RTO that qualify no more."""
    if not policy.reach(user, "validate_aggregations"):
        return None
    failing = Qualification.objects.filter(eligible=False, aggregation__isnull=False).values("aggregation")
    rows = _rows(user, "validate_aggregations", Status.REGISTERED).filter(pk__in=failing)
    hint = "Suspend by a rule, or wait until it qualifies again."
    return Work("Registered aggregations that qualify no more", _url("failing"), rows, hint, 20, "", NEEDS, _aggregation, ENTRY)


@queue
def to_answer(user) -> Work | None:
    """Aggregations about which an RTO asks, or that came back as incomplete."""
    if not policy.reach(user, "submit_ders"):
        return None
    rows, hint = _rows(user, "submit_ders", Status.ASKED, Status.RETURNED), "An RTO waits for it."
    return Work("Aggregations to mend or to answer for", _url("mine"), rows, hint, 15, "answer_due_at", NEEDS, _aggregation, ENTRY)


@queue
def changes_to_schedule(user) -> Work | None:
    """Rule changes that another person drafted."""
    if not policy.reach(user, "set_law"):
        return None
    rows = RuleChange.objects.visible_to(user, "set_law").filter(status=RuleChange.Status.DRAFT).exclude(drafted_by=user)
    url, hint, needs = reverse("registry:rule_changes"), "Another person drafted them.", ("uuid", "key")
    return Work("Rule changes to schedule", url, rows, hint, 40, "starts_on", needs, _change, "home")


def _change(row: dict) -> tuple[str, str]:
    return row["key"], reverse("registry:rule_change", args=[row["uuid"]])
