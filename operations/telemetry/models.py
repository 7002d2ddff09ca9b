"""Readings, of which none is ever changed, and the latest of each DER."""

import pgtrigger
from django.db import models
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Refuse
from operations.telemetry.queries import DELIVERING, StateQuerySet
from registry.ders.models import Der


class Told(models.Model):
    """What a DER's telemetry says at a moment. Powers: injection positive; room up and down from the present power, both positive.

    It carries the parties at that time, by which lists are cut: a former aggregator keeps what it saw."""

    access_paths = ("aggregator", "edc")

    class Source(models.TextChoices):
        METER = "meter", "Meter"
        DEVICE = "device", "Device"
        GATEWAY = "gateway", "Gateway"
        PLATFORM = "platform", "Aggregator's platform"
        SCADA = "scada", "Utility's SCADA"

    class Quality(models.TextChoices):
        GOOD = "good", "Good"
        ESTIMATED = "estimated", "Estimated"
        QUESTIONABLE = "questionable", "Questionable"

    class Operating(models.TextChoices):
        ON = "on", "On"
        STANDBY = "standby", "On standby"
        OFF = "off", "Off"
        FAULT = "fault", "In fault"

    aggregator = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    edc = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False, verbose_name="utility"
    )
    event_at = models.DateTimeField("measured at")
    published_at = models.DateTimeField("published at", help_text="a correction has a later one; both are kept")
    received_at = models.DateTimeField(default=timezone.now)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.PLATFORM)
    quality = models.CharField(max_length=12, choices=Quality.choices, default=Quality.GOOD)
    operating = models.CharField(max_length=10, choices=Operating.choices, default=Operating.ON)
    p_kw = models.FloatField("power (kW)", help_text="injection positive")
    q_kvar = models.FloatField("reactive power (kvar)", null=True)
    soc_percent = models.FloatField("state of charge (%)", null=True)
    up_kw = models.FloatField("room up (kW)", null=True)
    down_kw = models.FloatField("room down (kW)", null=True)

    class Meta:
        abstract = True


class Reading(Told):
    """One reading of one DER, once for each moment and publication. Partitioned by month of the moment; the database refuses changes."""

    der = models.ForeignKey(Der, on_delete=models.PROTECT, related_name="readings", db_index=False, db_constraint=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["der", "event_at", "published_at"], name="reading_once")]
        triggers = [
            Refuse(name="kept_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Refuse(name="kept_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return f"{self.der}, {timezone.localtime(self.event_at):%Y-%m-%d %H:%M:%S}"


class DerState(Told):
    """The latest reading of a DER: of the latest moment, and of that the latest published."""

    class Readiness(models.TextChoices):
        READY = "ready", "Ready"
        UNAVAILABLE = "unavailable", "Not available"
        STALE = "stale", "Not heard of"

    der = models.OneToOneField(Der, on_delete=models.CASCADE, related_name="state", db_constraint=False)
    stale_at = models.DateTimeField("stale from", help_text="three of its own intervals after the moment")

    objects = StateQuerySet.as_manager()

    class Meta:
        verbose_name = "state of a DER"
        verbose_name_plural = "states of DERs"
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="state_by_aggregator"),
            models.Index(fields=["edc", "-id"], name="state_by_utility"),
        ]

    def __str__(self) -> str:
        return f"State of {self.der}"

    @property
    def readiness(self) -> "DerState.Readiness":
        """Is it heard of, and does it deliver?"""
        return readiness(self.stale_at, self.operating)


def readiness(stale_at, operating: str) -> DerState.Readiness:
    if stale_at <= timezone.now():
        return DerState.Readiness.STALE
    return DerState.Readiness.READY if operating in DELIVERING else DerState.Readiness.UNAVAILABLE
