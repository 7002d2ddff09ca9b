"""A finding about one DER, and what became of it."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition
from operations.outages.models import party
from registry.ders.models import Der


class ReliabilityFinding(models.Model):
    """A DER did not do what was asked of it. The aggregator answers, the utility closes it or asks again.

    `evidence` are the newest cases: [moment, measured, limit, words]; `count` is of all of them."""

    access_paths = ("aggregator", "edc")

    class Rule(models.TextChoices):
        LIMIT = "limit", "Beyond its envelope"
        RESPONSE = "response", "Did not follow its envelope"
        TELEMETRY = "telemetry", "Telemetry of poor quality"
        RIDE_THROUGH = "ride_through", "Did not ride through"
        SETTINGS = "settings", "Has other settings than were issued"
        UNREAD = "unread", "Settings were not read back"

    class Status(models.TextChoices):
        OPEN = "open", "With the aggregator"
        ANSWERED = "answered", "With the utility"
        CLOSED = "closed", "Closed"

    lifecycle = Lifecycle(
        Transition("answer", (Status.OPEN,), Status.ANSWERED, "file_ders", needs_reason=True),
        Transition("ask_again", (Status.ANSWERED,), Status.OPEN, "manage_grid", needs_reason=True),
        Transition("close", (Status.OPEN, Status.ANSWERED), Status.CLOSED, "manage_grid", needs_reason=True),
        initial=(Status.OPEN,),
    )
    STANDING = (Status.OPEN, Status.ANSWERED)

    uuid = models.UUIDField("finding id", default=uuid.uuid4, unique=True, editable=False)
    der = models.ForeignKey(Der, on_delete=models.PROTECT, related_name="reliability_findings", db_index=False, verbose_name="DER")
    aggregator = party("aggregator")
    edc = party("utility")
    rule = models.CharField("what", max_length=12, choices=Rule.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    first_at = models.DateTimeField("first")
    last_at = models.DateTimeField("last")
    count = models.PositiveIntegerField("cases")
    evidence = models.JSONField(default=list)
    found_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "reliability finding"
        constraints = [
            models.UniqueConstraint(fields=["der", "rule"], condition=Q(status__in=["open", "answered"]), name="reliability_once"),
        ]
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="reliability_by_aggregator"),
            models.Index(fields=["edc", "-id"], name="reliability_by_utility"),
        ]

    def __str__(self) -> str:
        return f"{self.get_rule_display()}: {self.der}"
