"""What an interface and the lines behind it can carry, and what was found to be deliverable through them."""

import uuid

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.units import MagnitudeField
from operations.computed.models import Computed, computing
from operations.coordination.engine import NOTHING
from operations.outages.models import CapacityEvent, bounded, party, until_restored
from registry.grid.models import TdInterface

MAGNITUDE = [MinValueValidator(0)]
WAYS, ROUNDED = ("up", "down"), 0.15  # kW: the sums are rounded to tenths


class InterfaceLimit(models.Model):
    """How much may flow through a T-D interface in each direction, as its utility or its RTO says."""

    access_paths = ("edc", "tso")

    td_interface = models.OneToOneField(TdInterface, on_delete=models.PROTECT, related_name="limit", verbose_name="T-D interface")
    edc = party("utility")
    tso = party("RTO")
    import_kw = models.FloatField("most towards distribution (kW)", validators=MAGNITUDE)
    export_kw = models.FloatField("most towards transmission (kW)", validators=MAGNITUDE)
    source = models.CharField(max_length=200, help_text="a study, a nameplate, an agreement")

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "limit of an interface"
        verbose_name_plural = "limits of interfaces"
        indexes = [models.Index(fields=["edc", "-id"], name="interface_limit_by_utility")]

    def __str__(self) -> str:
        return f"Limit of {self.td_interface}"


class MonitoredLine(models.Model):
    """A transmission line that an RTO watches: its flow, its limit in both directions, and by its transfer factors (PTDF) how many kW
    of a kW that an interface injects flow through it: {id of the interface: factor}."""

    access_paths = ("tso",)
    seen_with = ("operations.LineEvent.line",)  # whom an event of it concerns reads its name

    tso = party("RTO")
    code = models.CharField(max_length=40)
    flow_kw = models.FloatField("flow (kW)")
    limit_kw = models.FloatField("limit (kW)", validators=MAGNITUDE)
    factors = models.JSONField("transfer factors", default=dict)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tso", "code"], name="monitored_line_once")]

    def __str__(self) -> str:
        return self.code


class LineEvent(CapacityEvent):
    """A transmission line is out of service, or carries less. Its RTO tells it.

    What a run counts with, of a moment that it covers: a derate leaves `capacity_percent` of the line's limit. A line that is out carries
    nothing and is given nothing to carry: its limit is 0 both ways from a flow of 0, so that no injection which would move it counts as
    deliverable until its RTO tells the factors that hold without it (0 of this line, others of those beside it)."""

    access_paths = ("tso", "touched__edc", "touched__aggregator")

    class Kind(models.TextChoices):
        OUTAGE = "outage", "Outage"
        DERATE = "derate", "Derate"

    lifecycle = until_restored("validate_aggregations")

    tso = party("RTO")
    line = models.ForeignKey(MonitoredLine, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=6, choices=Kind.choices)

    history = Versions()

    class Meta(CapacityEvent.Meta):
        verbose_name = "event of a line"
        verbose_name_plural = "events of lines"
        constraints = bounded("line_event")
        indexes = [models.Index(fields=["tso", "-id"], name="line_event_by_rto")]

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return f"line {self.line}"


class LineTouched(models.Model):
    """An interface that a line of an event carries a part of, with the DERs of one aggregator behind it when it was told; a row without
    aggregator counts those without, or says that there are none. The policy of events reads this table, so its own names no event: the
    parties stand here."""

    access_paths = ("edc", "tso", "aggregator")

    event = models.ForeignKey(LineEvent, on_delete=models.CASCADE, related_name="touched", db_index=False)
    td_interface = models.ForeignKey(TdInterface, on_delete=models.PROTECT, related_name="+", verbose_name="T-D interface")
    edc = party("utility")
    tso = party("RTO")
    aggregator = party("aggregator", null=True)
    der_count = models.PositiveIntegerField("DERs")
    kw = MagnitudeField("their nameplate (kW)", default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "interface behind a line's event"
        verbose_name_plural = "interfaces behind lines' events"
        constraints = [
            models.UniqueConstraint(fields=["event", "td_interface", "aggregator"], nulls_distinct=False, name="line_touched_once")
        ]
        indexes = [models.Index(fields=[name, "-id"], name=f"line_touched_by_{name}") for name in ("edc", "tso", "aggregator")]

    def __str__(self) -> str:
        return f"{self.td_interface} in {self.event}"


class DeliverabilityRun(Computed):
    """How much of the feeders' capability in an interval can be delivered at once, up and down, through an RTO's interfaces and lines.

    `lines` are those that bind: [code, direction, kW left without change, what one more kW would let through]."""

    access_paths = ("tso",)
    seen_with = ("operations.InterfaceResult.run",)  # a utility sees the result of its interface

    TASK, ARGUMENT = "operations.coordination.tasks.deliver", "run"
    lifecycle = computing()

    uuid = models.UUIDField("run id", default=uuid.uuid4, unique=True, editable=False)
    tso = party("RTO")
    at = models.DateTimeField("interval of")
    lines = models.JSONField("lines that bind", default=list, blank=True)
    seconds = models.FloatField("computed in (s)", null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "deliverability run"
        indexes = [models.Index(fields=["tso", "-id"], name="deliverability_by_rto")]

    def __str__(self) -> str:
        return f"Deliverability at {timezone.localtime(self.at):%Y-%m-%d %H:%M}"


class InterfaceResult(models.Model):
    """A run's answer for one interface, kW: `capable` is what the envelopes behind it allow, `deliverable` what interfaces and lines let
    through at once, `derate` what the power flow of the feeders then takes away. `value`: kW that one more kW of the limit would let
    through. `feeders`: [code, direction, capable, assigned, verified] of each."""

    access_paths = ("edc", "tso")

    run = models.ForeignKey(DeliverabilityRun, on_delete=models.CASCADE, related_name="results", db_index=False)
    td_interface = models.ForeignKey(TdInterface, on_delete=models.PROTECT, related_name="+", verbose_name="T-D interface")
    edc = party("utility")
    tso = party("RTO")
    at = models.DateTimeField("interval of")
    flow_kw = models.FloatField("flow (kW)", null=True)
    low_kw = models.FloatField("least flow (kW)", null=True)
    high_kw = models.FloatField("most flow (kW)", null=True)
    capable_up_kw = models.FloatField("capable up (kW)")
    capable_down_kw = models.FloatField("capable down (kW)")
    deliverable_up_kw = models.FloatField("deliverable up (kW)")
    deliverable_down_kw = models.FloatField("deliverable down (kW)")
    derate_up_kw = models.FloatField("derate up (kW)")
    derate_down_kw = models.FloatField("derate down (kW)")
    value_up = models.FloatField("value of the limit up")
    value_down = models.FloatField("value of the limit down")
    feeders = models.JSONField(default=list)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "deliverability of an interface"
        verbose_name_plural = "deliverability of interfaces"
        constraints = [models.UniqueConstraint(fields=["run", "td_interface"], name="deliverability_once")]
        indexes = [
            models.Index(fields=["edc", "-id"], name="deliverability_by_utility"),
            models.Index(fields=["tso", "-id"], name="deliverability_of_rto"),
        ]

    @property
    def rows(self) -> list[dict]:
        """Both ways, for reading; with what holds back what the feeders are capable of."""
        named = {"name": f"{self.td_interface} ({self.td_interface.code})", "pk": self.td_interface_id}
        parts = ("capable", "deliverable", "derate")
        rows = [
            {"way": way, "value": getattr(self, f"value_{way}")} | {name: getattr(self, f"{name}_{way}_kw") for name in parts}
            for way in WAYS
        ]
        return [named | row | {"held": self._held(row)} for row in rows]

    def _held(self, row: dict) -> str:
        if row["capable"] - row["deliverable"] <= ROUNDED:
            return ""
        if row["capable"] - row["deliverable"] - row["derate"] <= ROUNDED:
            return "the feeders' power flow"
        return "this interface's limit" if row["value"] > NOTHING else "a transmission line that the RTO watches"

    @property
    def parts(self) -> list[dict]:
        """Of each feeder behind it, both ways: what its envelopes allow, what was assigned to it, and what stood its power flow."""
        names = ("feeder", "way", "capable", "assigned", "stands")
        return [dict(zip(names, row, strict=True)) for row in self.feeders]

    def __str__(self) -> str:
        return f"{self.td_interface}, {timezone.localtime(self.at):%Y-%m-%d %H:%M}"
