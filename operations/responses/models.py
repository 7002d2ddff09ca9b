"""The answer that an aggregator chose to an outage of a DER, with its effect as it was computed."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition
from operations.outages.models import DerOutage, party
from registry.aggregations.models import Aggregation

STANDING = ("chosen", "asked", "granted")


class OutageResponse(models.Model):
    """One answer for one aggregation. Effects in kW: `up` is of the most that the aggregation can inject, `down` of the most that it can
    draw; `least_kw` and `most_kw` are the injection between which it can then move. `parts` are the DERs that give back: [id, up, down, and
    the least and most injection to which each would go].
    """

    access_paths = ("aggregator", "edc", "tso")

    class Kind(models.TextChoices):
        SUBSTITUTE = "substitute", "Other members step in"
        DERATE = "derate", "Derate the aggregation"
        REDECLARE = "redeclare", "Declare anew what it can do"
        ROOM = "room", "Ask the utility for room"

    class Status(models.TextChoices):
        CHOSEN = "chosen", "In force"
        ASKED = "asked", "Asked"
        GRANTED = "granted", "Granted"
        REFUSED = "refused", "Refused"
        OVER = "over", "Over"

    lifecycle = Lifecycle(
        Transition("grant", (Status.ASKED,), Status.GRANTED, "manage_grid"),
        Transition("refuse", (Status.ASKED,), Status.REFUSED, "manage_grid", needs_reason=True, danger=True),
        Transition("end", (Status.CHOSEN, Status.ASKED, Status.GRANTED), Status.OVER, None),
        initial=(Status.CHOSEN, Status.ASKED),
    )

    uuid = models.UUIDField("response id", default=uuid.uuid4, unique=True, editable=False)
    outage = models.ForeignKey(DerOutage, on_delete=models.PROTECT, related_name="responses", db_index=False)
    aggregation = models.ForeignKey(Aggregation, on_delete=models.PROTECT, related_name="outage_responses")
    aggregator = party("aggregator")
    edc = party("utility")
    tso = party("RTO", null=True, blank=True)
    kind = models.CharField("answer", max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=7, choices=Status.choices)
    lost_up_kw = models.FloatField("lost up (kW)")
    lost_down_kw = models.FloatField("lost down (kW)")
    regained_up_kw = models.FloatField("regained up (kW)")
    regained_down_kw = models.FloatField("regained down (kW)")
    least_kw = models.FloatField("least injection then (kW)")
    most_kw = models.FloatField("most injection then (kW)")
    parts = models.JSONField(default=list, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+")
    chosen_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "response to an outage"
        verbose_name_plural = "responses to outages"
        constraints = [
            models.UniqueConstraint(
                fields=["outage", "aggregation", "kind"], condition=Q(status__in=STANDING), name="outage_response_once"
            ),
        ]
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="outage_response_by_party"),
            models.Index(fields=["edc", "-id"], name="outage_response_by_utility"),
            models.Index(fields=["tso", "-id"], name="outage_response_by_rto"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.aggregation}"
