"""Readings, of which none is ever changed, and the latest of each DER and of each other subject."""

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Appended, Refuse
from operations.outages.models import DerOutage
from operations.telemetry.queries import DELIVERING, CheckQuerySet, HeardQuerySet, StateQuerySet
from registry.aggregations.models import Aggregation
from registry.customers.models import PersonalUse
from registry.ders.models import Der
from registry.grid.models import Feeder, TdInterface, Transformer

SUBJECTS = ("aggregation", "feeder", "transformer", "td_interface")


class Heard(models.Model):
    """What telemetry says at a moment. Powers: injection positive; room up and down from the present power, both positive."""

    class Source(models.TextChoices):
        METER = "meter", "Meter"
        DEVICE = "device", "Device"
        GATEWAY = "gateway", "Gateway"
        PLATFORM = "platform", "Aggregator's platform"
        SCADA = "scada", "Utility's SCADA"
        GENERATED = "generated", "Generated for demonstration"

    class Quality(models.TextChoices):
        GOOD = "good", "Good"
        ESTIMATED = "estimated", "Estimated"
        QUESTIONABLE = "questionable", "Questionable"

    event_at = models.DateTimeField("measured at")
    published_at = models.DateTimeField("published at", help_text="a correction has a later one; both are kept")
    received_at = models.DateTimeField(default=timezone.now)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.PLATFORM)
    quality = models.CharField(max_length=12, choices=Quality.choices, default=Quality.GOOD)
    p_kw = models.FloatField("power (kW)", help_text="injection positive")
    q_kvar = models.FloatField("reactive power (kvar)", null=True)
    up_kw = models.FloatField("room up (kW)", null=True)
    down_kw = models.FloatField("room down (kW)", null=True)

    class Meta:
        abstract = True


def _party(label: str, **kwargs) -> models.ForeignKey:
    return models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False, verbose_name=label, **kwargs
    )


class Told(Heard):
    """What a DER's telemetry says. It carries the parties at that time, by which lists are cut: a former aggregator keeps what it saw."""

    access_paths = ("aggregator", "edc")

    class Operating(models.TextChoices):
        ON = "on", "On"
        STANDBY = "standby", "On standby"
        OFF = "off", "Off"
        FAULT = "fault", "In fault"

    aggregator = _party("aggregator", null=True)
    edc = _party("utility")
    operating = models.CharField(max_length=10, choices=Operating.choices, default=Operating.ON)
    soc_percent = models.FloatField("state of charge (%)", null=True)

    class Meta:
        abstract = True


class Reading(Told, Appended):
    """One reading of one DER, once for each moment and publication. Partitioned by month of the moment; the database refuses changes."""

    archived_by = "event_at"

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
        KEPT = "kept", "Kept by its owner"
        UNAVAILABLE = "unavailable", "Not available"
        STALE = "stale", "Not heard of"

    der = models.OneToOneField(Der, on_delete=models.CASCADE, related_name="state", db_constraint=False)
    stale_at = models.DateTimeField("stale from", help_text="some of its own intervals after the moment")

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

    @classmethod
    def kept_ders(cls) -> models.QuerySet:
        """Keys of the DERs that their owners keep out at this moment."""
        return PersonalUse.objects.barring(timezone.now()).values("der")

    @classmethod
    def out_ders(cls) -> models.QuerySet:
        """Keys of the DERs that are out of service by their aggregators' word, whatever their readings say."""
        return DerOutage.objects.filter(status=DerOutage.Status.ACTIVE, kind=DerOutage.Kind.OUTAGE).values("der")

    @property
    def readiness(self) -> "DerState.Readiness":
        """Is it heard of, in service, does it deliver, and does its owner let it? Two queries."""
        kept, out = (ders.filter(der=self.der_id).exists() for ders in (self.kept_ders(), self.out_ders()))
        return readiness(self.stale_at, self.operating, kept=kept, out=out)


class SubjectTold(Heard):
    """What is measured of an aggregation, at a feeder's head, of a transformer or at a T-D interface: exactly one of them."""

    access_paths = ("aggregator", "edc", "tso")

    aggregator = _party("aggregator", null=True)
    edc = _party("utility", null=True)
    tso = _party("RTO", null=True)
    voltage_pu = models.FloatField("voltage (pu)", null=True)

    class Meta:
        abstract = True

    @property
    def subject(self) -> "Aggregation | Feeder | Transformer | TdInterface":
        """What was measured."""
        return next(found for name in SUBJECTS if (found := getattr(self, name)))

    @property
    def names(self) -> dict[str, int | None]:
        """The four keys, of which one is set: by all of them the index finds the subject's readings."""
        return {name: getattr(self, f"{name}_id") for name in SUBJECTS}


def _subject(model, **kwargs) -> models.ForeignKey:
    return models.ForeignKey(model, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False, **kwargs)


def _exactly_one() -> Q:
    found = Q()
    for one in SUBJECTS:
        found |= Q(**{f"{name}__isnull": name != one for name in SUBJECTS})
    return found


class SubjectReading(SubjectTold, Appended):
    """One reading of one subject, once for each moment and publication. Partitioned by month; the database refuses changes."""

    archived_by = "event_at"

    aggregation = _subject(Aggregation)
    feeder = _subject(Feeder)
    transformer = _subject(Transformer)
    td_interface = _subject(TdInterface, verbose_name="T-D interface")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "reading of a subject"
        verbose_name_plural = "readings of subjects"
        constraints = [
            models.UniqueConstraint(fields=[*SUBJECTS, "event_at", "published_at"], nulls_distinct=False, name="subject_reading_once"),
            models.CheckConstraint(condition=_exactly_one(), name="subject_reading_of_one"),
        ]
        triggers = [
            Refuse(name="kept_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Refuse(name="kept_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return f"{self.subject}, {timezone.localtime(self.event_at):%Y-%m-%d %H:%M:%S}"


class SubjectState(SubjectTold):
    """The latest reading of a subject."""

    aggregation = _subject(Aggregation)
    feeder = _subject(Feeder)
    transformer = _subject(Transformer)
    td_interface = _subject(TdInterface, verbose_name="T-D interface")
    stale_at = models.DateTimeField("stale from", help_text="some of its own intervals after the moment")

    objects = HeardQuerySet.as_manager()

    class Meta:
        verbose_name = "state of a subject"
        verbose_name_plural = "states of subjects"
        constraints = [
            models.UniqueConstraint(fields=[*SUBJECTS], nulls_distinct=False, name="subject_state_once"),
            models.CheckConstraint(condition=_exactly_one(), name="subject_state_of_one"),
        ]

    def __str__(self) -> str:
        return f"State of {self.subject}"


class TelemetryCheck(models.Model):
    """What a DER or an aggregation owed on a local day and what of it came, in its own intervals; written anew while the day may change.

    `late` came after what is let pass, `incomplete` without all that is owed; of an aggregation, `differing` of the periods `compared`
    lay further from the sum of its members than is let pass."""

    access_paths = ("aggregator", "edc", "tso")

    day = models.DateField()
    der = models.ForeignKey(Der, null=True, on_delete=models.CASCADE, related_name="telemetry_checks", db_index=False, db_constraint=False)
    aggregation = models.ForeignKey(
        Aggregation, null=True, on_delete=models.CASCADE, related_name="telemetry_checks", db_index=False, db_constraint=False
    )
    aggregator = _party("aggregator", null=True)
    edc = _party("utility", null=True)
    tso = _party("RTO", null=True)
    cadence_s = models.FloatField("interval (s)")
    owed = models.PositiveIntegerField()
    delivered = models.PositiveIntegerField()
    late = models.PositiveIntegerField()
    incomplete = models.PositiveIntegerField()
    compared = models.PositiveIntegerField("compared with members")
    differing = models.PositiveIntegerField("differing from members")
    most_difference_kw = models.FloatField("largest difference from members (kW)", null=True)
    missing = models.GeneratedField(
        expression=models.F("owed") - models.F("delivered"), output_field=models.IntegerField(), db_persist=True
    )
    checked_at = models.DateTimeField()

    objects = CheckQuerySet.as_manager()

    class Meta:
        verbose_name = "check of telemetry"
        verbose_name_plural = "checks of telemetry"
        constraints = [
            models.UniqueConstraint(fields=["day", "aggregation", "der"], nulls_distinct=False, name="telemetry_checked_once"),
            models.CheckConstraint(condition=Q(der=None) ^ Q(aggregation=None), name="telemetry_check_of_one"),
        ]
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="telemetry_check_by_aggregator"),
            models.Index(fields=["edc", "-id"], name="telemetry_check_by_utility"),
        ]

    def __str__(self) -> str:
        return f"{self.aggregation or self.der}, {self.day}"


def readiness(stale_at, operating: str, *, kept: bool, out: bool) -> DerState.Readiness:
    """Of a state: whether the owner keeps the DER for itself now, and whether it is out of service."""
    if stale_at <= timezone.now():
        return DerState.Readiness.STALE
    if out or operating not in DELIVERING:
        return DerState.Readiness.UNAVAILABLE
    return DerState.Readiness.KEPT if kept else DerState.Readiness.READY
