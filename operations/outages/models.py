"""What is out of service: DERs, as their aggregators tell it, and parts of the grid, with the DERs that they take along."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Appended, Refuse, Versions
from moc.lifecycle import Lifecycle, Transition
from moc.units import MagnitudeField
from operations.outages.queries import EventQuerySet
from registry.ders.models import Der
from registry.grid.models import Feeder, TdInterface, Transformer
from registry.reconfigurations.models import Reconfiguration
from registry.submissions.models import Decision

ORDER = "It ends after it begins."


def party(label: str, **kwargs) -> models.ForeignKey:
    return models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=label, **kwargs)


def actor() -> models.ForeignKey:
    return models.ForeignKey(settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.PROTECT, related_name="+")


class DerOutage(models.Model):
    """A DER delivers nothing, or less, from a moment on: planned, forced, or because somebody curtails it. Its aggregator tells it.

    `available_kw` is what it can still inject; nothing during an outage. It carries the parties, by which lists are cut.
    """

    access_paths = ("aggregator", "edc")

    class Kind(models.TextChoices):
        OUTAGE = "outage", "Outage"
        DERATE = "derate", "Derate"

    class Cause(models.TextChoices):
        PLANNED = "planned", "Planned"
        FORCED = "forced", "Forced"
        CURTAILED = "curtailed", "Curtailed"

    class Status(models.TextChoices):
        PLANNED = "planned", "To come"
        ACTIVE = "active", "Now"
        ENDED = "ended", "Over"
        CANCELLED = "cancelled", "Cancelled"

    lifecycle = Lifecycle(
        Transition("begin", (Status.PLANNED,), Status.ACTIVE, None),
        Transition("end", (Status.ACTIVE,), Status.ENDED, "file_ders", label="It is back"),
        Transition("cancel", (Status.PLANNED,), Status.CANCELLED, "file_ders", needs_reason=True, danger=True),
        initial=(Status.PLANNED, Status.ACTIVE),
    )

    uuid = models.UUIDField("outage id", default=uuid.uuid4, unique=True, editable=False)
    der = models.ForeignKey(Der, on_delete=models.PROTECT, related_name="outages", db_index=False, verbose_name="DER")
    aggregator = party("aggregator")
    edc = party("utility")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    cause = models.CharField(max_length=9, choices=Cause.choices)
    status = models.CharField(max_length=9, choices=Status.choices)
    available_kw = MagnitudeField("still available (kW)", default=0)
    starts_at = models.DateTimeField("from")
    expected_until = models.DateTimeField("expected back at", null=True, blank=True)
    ended_at = models.DateTimeField("back at", null=True, blank=True, editable=False)
    reason = models.CharField(max_length=300)
    notified = models.CharField("notification", max_length=200, blank=True, help_text="who else was told, and how")
    reported_by = actor()
    reported_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "outage of a DER"
        verbose_name_plural = "outages of DERs"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["der"], condition=Q(status="active"), name="outage_one_at_a_time"),
            models.CheckConstraint(name="outage_in_order", condition=Q(expected_until__gt=F("starts_at")), violation_error_message=ORDER),
            models.CheckConstraint(name="outage_delivers_nothing", condition=~Q(kind="outage") | Q(available_kw=0)),
        ]
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="outage_by_aggregator"),
            models.Index(fields=["edc", "-id"], name="outage_by_utility"),
            models.Index(fields=["der", "-starts_at"], name="outage_of_der"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.der}"


class CapacityEvent(models.Model):
    """A part of the grid is out, or carries less, from a moment on, planned or at once, until it is restored.

    A kind has a `kind`, a `place` in words, and the lifecycle `until_restored` by the permission of those who tell it."""

    class Status(models.TextChoices):
        PLANNED = "planned", "To come"
        ACTIVE = "active", "Now"
        RESTORED = "restored", "Restored"
        CANCELLED = "cancelled", "Cancelled"

    uuid = models.UUIDField("event id", default=uuid.uuid4, unique=True, editable=False)
    status = models.CharField(max_length=9, choices=Status.choices)
    capacity_percent = models.PositiveSmallIntegerField("capacity left (%)", default=0)
    starts_at = models.DateTimeField("from")
    expected_until = models.DateTimeField("expected back at", null=True, blank=True)
    restored_at = models.DateTimeField(null=True, blank=True, editable=False)
    reason = models.CharField(max_length=300)
    reported_by = actor()
    reported_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.place}"


def bounded(name: str) -> list[models.CheckConstraint]:
    """What every event keeps to; name: with which its constraints begin."""
    derated = Q(kind="derate", capacity_percent__gt=0, capacity_percent__lt=100)
    sentence = "A derate leaves between 1 and 99 %% of the capacity; anything else none."
    whole = derated | (~Q(kind="derate") & Q(capacity_percent=0))
    return [
        models.CheckConstraint(name=f"{name}_in_order", condition=Q(expected_until__gt=F("starts_at")), violation_error_message=ORDER),
        models.CheckConstraint(name=f"{name}_capacity", condition=whole, violation_error_message=sentence),
    ]


def until_restored(permission: str) -> Lifecycle:
    """The moves of an event; who told it makes them, by this permission."""
    Status = CapacityEvent.Status
    return Lifecycle(
        Transition("begin", (Status.PLANNED,), Status.ACTIVE, None),
        Transition("restore", (Status.ACTIVE,), Status.RESTORED, permission),
        Transition("cancel", (Status.PLANNED,), Status.CANCELLED, permission, needs_reason=True, danger=True),
        initial=(Status.PLANNED, Status.ACTIVE),
    )


class GridEvent(CapacityEvent):
    """A part of a utility's grid, or of its interface to transmission, is out, switched or derated.

    It is at exactly one place: a T-D interface (told by the utility or by its RTO), a feeder, a transformer, or an element of the
    feeder's network. Counts are of what was behind it when it was told; `kw` is the nameplate of these DERs.
    """

    access_paths = ("edc", "tso", "touched__aggregator")

    class Kind(models.TextChoices):
        OUTAGE = "outage", "Outage"
        SWITCHING = "switching", "Switching"
        DERATE = "derate", "Derate"

    lifecycle = until_restored("manage_grid")

    edc = party("utility")
    tso = party("told by the RTO", null=True, blank=True)
    kind = models.CharField(max_length=9, choices=Kind.choices)
    td_interface = models.ForeignKey(
        TdInterface, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name="interface"
    )
    feeder = models.ForeignKey(Feeder, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    transformer = models.ForeignKey(Transformer, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    element = models.CharField(max_length=120, blank=True, help_text="a line or transformer of the feeder's network, such as line.l1")
    point_count = models.PositiveIntegerField("service points", default=0, editable=False)
    der_count = models.PositiveIntegerField("DERs", default=0, editable=False)
    aggregation_count = models.PositiveIntegerField("aggregations", default=0, editable=False)
    kw = MagnitudeField("their nameplate (kW)", default=0, editable=False)

    history = Versions()

    class Meta(CapacityEvent.Meta):
        constraints = [
            *bounded("grid_event"),
            models.CheckConstraint(
                name="grid_event_one_place",
                condition=Q(td_interface__isnull=False, feeder=None, transformer=None, element="")
                | Q(td_interface=None, feeder__isnull=False, transformer=None)
                | Q(td_interface=None, feeder=None, transformer__isnull=False, element=""),
                violation_error_message="Name one place: an interface, a feeder (with or without an element), or a transformer.",
            ),
        ]
        indexes = [
            models.Index(fields=["edc", "-id"], name="grid_event_by_utility"),
            models.Index(fields=["tso", "-id"], name="grid_event_by_rto"),
        ]

    @property
    def place(self) -> str:
        """Where it is, in words."""
        if self.element:
            return f"{self.element} on {self.feeder}"
        return next((str(each) for each in (self.td_interface, self.feeder, self.transformer) if each is not None), "the grid")


class TouchedDer(models.Model):
    """A DER that is behind a grid event. The policy of events reads this table, so its own names no event: the parties stand here."""

    access_paths = ("aggregator", "edc")

    event = models.ForeignKey(GridEvent, on_delete=models.CASCADE, related_name="touched", db_index=False)
    der = models.ForeignKey(Der, on_delete=models.PROTECT, related_name="grid_events")
    aggregator = party("aggregator", null=True)
    edc = party("utility")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "DER behind a grid event"
        verbose_name_plural = "DERs behind grid events"
        constraints = [models.UniqueConstraint(fields=["event", "der"], name="touched_once")]

    def __str__(self) -> str:
        return f"{self.der} in {self.event}"


class Kept(Refuse):
    """What was done in operations stays written."""

    because = "the operational log is never lost"


class LogEntry(Appended):
    """One act that changed what can be delivered: who, what, why, and the state before and after. Only added to, and sealed."""

    access_paths = ("edc", "tso", "aggregator")
    ACTS = {
        "event_told": "Event told",
        "event_begin": "Event began",
        "event_restore": "Restored after an event",
        "event_cancel": "Event cancelled",
        "event_reschedule": "Event at other times",
        "outage_told": "Outage of a DER told",
        "outage_begin": "Outage of a DER began",
        "outage_end": "DER back in service",
        "outage_cancel": "Outage of a DER cancelled",
        "network_approve": "Network approved",
        "envelopes_publish": "Envelopes published",
        "envelopes_hold": "Envelopes held",
        "envelopes_deactivate": "Envelopes taken out of force",
        "line_event_told": "Event of a line told",
        "line_event_begin": "Event of a line began",
        "line_event_restore": "Line restored",
        "line_event_cancel": "Event of a line cancelled",
        "line_event_reschedule": "Event of a line at other times",
        "interface_limit": "Limit of an interface",
        "line_limit": "Limit of a line",
        "deliverability_derate": "Less can be delivered",
        "alarm_evaluate": "Alarm evaluated",
        "alarm_deactivate": "Alarm deactivated",
        "response_substitute": "Outage answered by substitutes",
        "response_derate": "Outage answered by a derate",
        "response_redeclare": "Outage answered by a new declaration",
        "response_room": "Room asked for after an outage",
        "response_grant": "Room granted",
        "response_refuse": "Room refused",
        "interconnection_adopt": "Study adopted",
        "screen_adopt": "Screen adopted",
        "policy_add": "Envelope policy added",
        "policy_change": "Envelope policy changed",
        "decision_limits": "Approved with limits",
        "decision_settings": "Inverter settings issued",
        "ders_suspend": "DERs suspended",
        "ders_reinstate": "DERs reinstated",
        "ders_retire": "DERs retired",
        "owner_keeps": "Owner keeps a DER for itself",
        "owner_gives_back": "Owner gives a DER back",
        "owner_ends": "Owner's wish ended",
        "points_move": "Service points moved",
        "rule_change": "Rule row changed",
    }

    at = models.DateTimeField(default=timezone.now)
    actor = actor()
    act = models.SlugField(max_length=30)
    subject = models.CharField(max_length=300)
    reason = models.TextField(blank=True)
    edc = party("utility", null=True)
    tso = party("RTO", null=True)
    aggregator = party("aggregator", null=True)
    feeder = models.ForeignKey(Feeder, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    event = models.ForeignKey(GridEvent, null=True, on_delete=models.PROTECT, related_name="log", db_index=False)
    outage = models.ForeignKey(DerOutage, null=True, on_delete=models.PROTECT, related_name="log", db_index=False)
    decision = models.ForeignKey(Decision, null=True, on_delete=models.PROTECT, related_name="log", db_index=False)
    reconfiguration = models.ForeignKey(Reconfiguration, null=True, on_delete=models.PROTECT, related_name="log", db_index=False)
    use = models.ForeignKey(
        "registry.HistoricalPersonalUse", null=True, editable=False, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    rule = models.ForeignKey("moc.HistoricalRuleSet", null=True, editable=False, on_delete=models.PROTECT, related_name="+", db_index=False)
    told_in = models.BigIntegerField("in transaction", null=True, editable=False, help_text="of the registry, that the entry tells of")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "operational log"
        ordering = ["-at", "-id"]  # an act may be taken in long after it was done
        indexes = [
            models.Index(fields=["-at", "-id"], name="log_by_time"),
            models.Index(fields=["edc", "-id"], name="log_by_utility"),
            models.Index(fields=["edc", "-at", "-id"], name="log_of_utility_by_time"),
            models.Index(fields=["tso", "-at", "-id"], condition=Q(tso__isnull=False), name="log_of_rto_by_time"),
            models.Index(fields=["aggregator", "-at", "-id"], condition=Q(aggregator__isnull=False), name="log_of_aggregator_by_time"),
            models.Index(fields=["event", "-at", "-id"], condition=Q(event__isnull=False), name="log_of_event_by_time"),
            models.Index(fields=["feeder", "-id"], condition=Q(feeder__isnull=False), name="log_of_feeder"),
            models.Index(fields=["told_in"], condition=Q(decision__isnull=False), name="log_told_of_decisions"),
            models.Index(fields=["told_in"], condition=Q(use__isnull=False), name="log_told_of_uses"),
            models.Index(fields=["told_in"], condition=Q(rule__isnull=False), name="log_told_of_rules"),
        ]
        constraints = [
            models.UniqueConstraint(fields=[name], condition=Q(**{f"{name}__isnull": False}), name=f"log_of_{name}_once")
            for name in ("decision", "reconfiguration", "use")
        ] + [models.UniqueConstraint(fields=["rule", "edc"], condition=Q(rule__isnull=False), name="log_of_rule_once")]
        triggers = [
            Kept(name="sealed_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Kept(name="sealed_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return self.subject
