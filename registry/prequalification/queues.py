"""What qualification adds to each role's home page."""

from django.urls import reverse

from moc.access import policy
from moc.portal.queues import Work, queue
from moc.rulesets.models import RuleChange
from registry.aggregations.models import Aggregation


@queue
def to_validate(user) -> Work | None:
    """Aggregations that wait for the user's RTO."""
    if not policy.reach(user, "validate_aggregations"):
        return None
    rows = Aggregation.objects.visible_to(user, "validate_aggregations").filter(status=Aggregation.Status.SUBMITTED)
    url, hint, needs = reverse("registry:validation_list"), "Validate, or deny by a rule.", ("uuid", "name", "aggregator__name")
    return Work("Aggregations to validate", url, rows, hint, 10, "", needs, _aggregation, "registry:aggregation_list")


def _aggregation(row: dict) -> tuple[str, str]:
    return f"{row['name']}, {row['aggregator__name']}", reverse("registry:aggregation_checklist", args=[row["uuid"]])


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
