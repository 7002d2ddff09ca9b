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
    return Work("Aggregations to validate", reverse("registry:validation_list"), rows.count(), "Validate, or deny by a rule.", order=10)


@queue
def changes_to_schedule(user) -> Work | None:
    """Rule changes that another person drafted."""
    if not policy.reach(user, "set_law"):
        return None
    rows = RuleChange.objects.visible_to(user, "set_law").filter(status=RuleChange.Status.DRAFT).exclude(drafted_by=user)
    return Work("Rule changes to schedule", reverse("registry:rule_changes"), rows.count(), "Another person drafted them.", order=40)
