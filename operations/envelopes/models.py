"""Policies, runs, and the envelopes themselves: blocks of a feeder's whole set, never rows by interval."""

import uuid
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.jobs.models import Job
from moc.lifecycle import Lifecycle, Transition
from operations.envelopes.queries import RunQuerySet
from operations.envelopes.solver import blocks
from operations.network.models import NetworkVersion, utility
from registry.ders.models import Der
from registry.grid.models import Feeder

HOUR = timedelta(hours=1)


class EnvelopePolicy(models.Model):
    """How a utility shares the room of a feeder (of all its feeders where none is named), its limits, and what holds without envelopes."""

    access_paths = ("edc",)

    class Method(models.TextChoices):
        GROUP = "group", "Group-fair: the same share behind the same bottleneck"
        PROPORTIONAL = "proportional", "Proportional: the same share for all"
        EQUAL = "equal", "Equal: the same kW for all"
        WEIGHTED = "weighted", "Weighted: shares by what each can do, times the weight of its programs"
        MAXIMUM = "maximum", "Most energy: linear program"

    edc = utility()
    feeder = models.ForeignKey(Feeder, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="empty: all others")
    method = models.CharField(max_length=12, choices=Method.choices, default=Method.GROUP)
    robust = models.BooleanField(
        "safe under partial use",
        default=True,
        help_text="whatever part of the limits is used, on whichever phases; else only where all are used at once",
    )
    reactive = models.BooleanField(
        "with reactive power", default=True, help_text="limits in kvar too, beside those in kW, of DERs whose capability is registered"
    )
    v_min_pu = models.DecimalField("least voltage (per unit)", max_digits=5, decimal_places=4, default="0.95")
    v_max_pu = models.DecimalField("most voltage (per unit)", max_digits=5, decimal_places=4, default="1.05")
    loading_percent = models.PositiveSmallIntegerField(
        "usable part of ratings (%)", default=100, validators=[MinValueValidator(10), MaxValueValidator(150)]
    )
    default_import_kw = models.DecimalField("import without envelope (kW)", max_digits=9, decimal_places=1, default=5)
    default_export_kw = models.DecimalField("export without envelope (kW)", max_digits=9, decimal_places=1, default="1.5")
    outage_import_kw = models.DecimalField("import after an outage (kW)", max_digits=9, decimal_places=1, default=2)
    outage_export_kw = models.DecimalField("export after an outage (kW)", max_digits=9, decimal_places=1, default=0)
    auto_publish = models.BooleanField("publish what passes its check", default=False)
    rolling_minutes = models.PositiveSmallIntegerField(
        "intervals of the next hour (min)",
        choices=[(minutes, f"{minutes} minutes") for minutes in (5, 15, 30)],
        null=True,
        blank=True,
        help_text="the hour that begins is computed anew in such intervals, again and again; empty: days only; needs publishing by itself",
    )

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "envelope policy"
        verbose_name_plural = "envelope policies"
        constraints = [
            models.UniqueConstraint(fields=["edc", "feeder"], nulls_distinct=False, name="envelope_policy_once"),
            models.CheckConstraint(
                condition=Q(v_min_pu__lt=F("v_max_pu"), v_min_pu__gte="0.5", v_max_pu__lte="1.5"), name="envelope_policy_volts"
            ),
            models.CheckConstraint(
                condition=Q(rolling_minutes=None) | Q(rolling_minutes__in=[5, 15, 30], auto_publish=True),
                name="envelope_policy_rolling",
                violation_error_message="The next hour is computed where sets are published by themselves: choose that too.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_method_display()} ({self.feeder or 'all feeders'})"


class EnvelopeRun(models.Model):
    """One computation of a feeder's envelopes over a window, and what became of it. Idempotent by feeder, topology, window and policy."""

    access_paths = ("edc",)

    class Status(models.TextChoices):
        COMPUTING = "computing", "Being computed"
        COMPUTED = "computed", "Computed"
        EVALUATED = "evaluated", "Checked, not published"
        PUBLISHED = "published", "Published"
        HELD = "held", "Held"
        DEACTIVATED = "deactivated", "Deactivated"
        SUPERSEDED = "superseded", "Superseded"
        FAILED = "failed", "Not computed"

    lifecycle = Lifecycle(
        Transition("compute", (Status.COMPUTING,), Status.COMPUTED, None),
        Transition("fail", (Status.COMPUTING,), Status.FAILED, None),
        Transition("evaluate", (Status.COMPUTED,), Status.EVALUATED, None),
        Transition("publish", (Status.EVALUATED, Status.HELD), Status.PUBLISHED, "manage_grid"),
        Transition("hold", (Status.PUBLISHED,), Status.HELD, "manage_grid", needs_reason=True),
        Transition("deactivate", (Status.PUBLISHED, Status.HELD), Status.DEACTIVATED, "manage_grid", needs_reason=True, danger=True),
        Transition("supersede", (Status.PUBLISHED, Status.HELD), Status.SUPERSEDED, None),
        initial=(Status.COMPUTING,),
    )
    TASK, ARGUMENT = "operations.envelopes.tasks.compute", "run"
    LIVE = (Status.COMPUTING, Status.COMPUTED, Status.EVALUATED, Status.PUBLISHED, Status.HELD)

    uuid = models.UUIDField("run id", default=uuid.uuid4, unique=True, editable=False)
    edc = utility()
    feeder = models.ForeignKey(Feeder, on_delete=models.PROTECT, related_name="envelope_runs", db_index=False)
    network = models.ForeignKey(NetworkVersion, on_delete=models.PROTECT, related_name="envelope_runs")
    topology_hash = models.CharField(max_length=64)
    policy = models.JSONField(help_text="the policy's values as they were")
    caps = models.JSONField(
        default=dict,
        blank=True,
        help_text="an operator's own limits by DER: [least, most] kW injected, or of some hours: [least, most, from, to]",
    )
    room = models.JSONField(
        "granted room",
        default=dict,
        blank=True,
        help_text="by DER what it gets before the others share, as far as the grid carries it: [least, most, from, to], kW injected",
    )
    situation = models.JSONField(default=dict, blank=True, help_text="what was out, switched or derated: services/situation.py")
    forecasts = ArrayField(
        models.BigIntegerField(), default=list, blank=True, help_text="by which loads were told; empty: the model's typical day"
    )
    digest = models.CharField(max_length=64, editable=False, help_text="of policy, caps, granted room, situation and forecasts")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    step_minutes = models.PositiveSmallIntegerField("interval (min)", default=30)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.COMPUTING)
    number = models.PositiveIntegerField("set number", null=True, blank=True, help_text="counts the sets published on the feeder")
    content_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the published limits")
    price = models.JSONField(default=dict, blank=True, help_text="total kW, Jain's index and least share by direction")
    alarms = models.JSONField(default=list, blank=True, help_text="what the forecast alone takes over a limit")
    point_count = models.PositiveIntegerField("active points", default=0)
    unchecked = models.PositiveIntegerField("intervals without room", default=0, help_text="that did not pass the AC check")
    cpu_s = models.FloatField("CPU seconds", null=True, blank=True)
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "envelope run"
        indexes = [
            models.Index(fields=["edc", "-id"], name="envelope_run_by_utility"),
            models.Index(fields=["feeder", "-starts_at"], name="envelope_run_of_feeder"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["feeder", "topology_hash", "starts_at", "ends_at", "step_minutes", "digest"],
                condition=Q(status__in=["computing", "computed", "evaluated", "published", "held"]),
                name="envelope_run_once",
            ),
            models.CheckConstraint(condition=Q(step_minutes__in=[5, 15, 30, 60]), name="envelope_run_step"),
        ]

    def __str__(self) -> str:
        return f"Envelopes of {self.feeder} from {timezone.localtime(self.starts_at):%Y-%m-%d %H:%M}"

    @property
    def is_rolling(self) -> bool:
        """Whether the platform ordered it for the next hour only: programs are told, and nobody's inbox."""
        return self.created_by_id is None and self.ends_at - self.starts_at == HOUR

    @property
    def intervals(self) -> int:
        """How many intervals the window has."""
        return int((self.ends_at - self.starts_at).total_seconds() // (60 * self.step_minutes))

    @property
    def bounds(self) -> dict[str, "EnvelopeBlock"]:
        """Its blocks by bound, the least injection first; none before it was computed."""
        return {block.bound: block for block in sorted(self.blocks.all(), key=lambda each: each.bound, reverse=True)}

    def situations(self, since: datetime | None = None, until: datetime | None = None) -> list[tuple[datetime, dict]]:
        """From when on which situation holds in the window, or in a part of it; without the events that make it."""
        since, until = since or self.starts_at, until or self.ends_at
        plain = {name: value for name, value in self.situation.items() if name != "events"}
        rows = [(datetime.fromisoformat(moment), said) for moment, said in plain.get("spans", ())] or [(self.starts_at, plain)]
        ends = [moment for moment, _ in rows[1:]] + [self.ends_at]
        return [(max(moment, since), said) for (moment, said), end in zip(rows, ends, strict=True) if end > since and moment < until]


class EnvelopeBlock(models.Model):
    """One bound ("min" or "max" injection) of all points of a run: int16 deltas of `unit_kw`, compressed; and what binds, likewise.

    So are the limits in kvar that hold while a point draws ("min") or injects ("max"), of `kvar_rows`, in `kvar_unit`."""

    access_paths = ("edc",)

    class Bound(models.TextChoices):
        MIN = "min", "Least injection (import limit)"
        MAX = "max", "Most injection (export limit)"

    run = models.ForeignKey(EnvelopeRun, on_delete=models.CASCADE, related_name="blocks", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    bound = models.CharField(max_length=3, choices=Bound.choices)
    unit_kw = models.FloatField()
    ders = models.JSONField(help_text="for each row of the block, the ids of the DERs that share it")
    limits = models.BinaryField()
    reasons = models.BinaryField()
    names = models.JSONField(help_text="elements that bind, with how many points share each, and what is left of it at the least, per unit")
    kvar_rows = models.JSONField("rows with reactive limits", default=list, blank=True, help_text="of points whose capability is known")
    kvar_unit = models.FloatField(null=True, blank=True)
    least_kvar = models.BinaryField("least kvar injected while this bound's way is taken", default=b"", blank=True)
    most_kvar = models.BinaryField("most kvar injected then", default=b"", blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "envelope block"
        constraints = [models.UniqueConstraint(fields=["run", "bound"], name="envelope_block_once")]

    def __str__(self) -> str:
        return f"{self.get_bound_display()} of {self.run}"

    @property
    def rows(self) -> dict[int, int]:
        """The row of each DER."""
        return {der: row for row, ders in enumerate(self.ders) for der in ders}

    def kw(self) -> np.ndarray:
        """The injection that bounds each row, (n, T) kW; unpacked anew whenever it is asked for, as all of these are."""
        return blocks.unpack(bytes(self.limits), len(self.ders), self.run.intervals, self.unit_kw)

    def codes(self) -> np.ndarray:
        """What binds each row, (n, T): a place in `names`, or −1, the device itself."""
        return blocks.unpack_codes(bytes(self.reasons), len(self.ders), self.run.intervals)

    def kvar(self) -> dict[int, np.ndarray]:
        """The least and the most kvar injected beside, (2, T), of each row that has limits of it."""
        size = len(self.kvar_rows), self.run.intervals
        pair = [blocks.unpack(bytes(each), *size, self.kvar_unit) for each in (self.least_kvar, self.most_kvar) if self.kvar_rows]
        return dict(zip(self.kvar_rows, np.stack(pair, 1), strict=True)) if pair else {}


class EnvelopePoint(models.Model):
    """Where a DER's latest published envelope is: a run and a row of its blocks."""

    access_paths = ("aggregator", "edc")

    der = models.OneToOneField(Der, on_delete=models.CASCADE, related_name="envelope", db_constraint=False)
    aggregator = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    feeder = models.ForeignKey(Feeder, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    run = models.ForeignKey(EnvelopeRun, on_delete=models.PROTECT, related_name="points", db_constraint=False)
    row = models.PositiveIntegerField()
    published_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "envelope of a DER"
        verbose_name_plural = "envelopes of DERs"
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="envelope_by_aggregator"),
            models.Index(fields=["edc", "-id"], name="envelope_by_utility"),
        ]

    def __str__(self) -> str:
        return f"Envelope of {self.der}"


class EnvelopeReceipt(models.Model):
    """A published set that an aggregator was told of, because some of its limits changed, and its acknowledgement."""

    access_paths = ("aggregator", "edc")

    class Status(models.TextChoices):
        SENT = "sent", "Sent"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"

    lifecycle = Lifecycle(
        Transition("acknowledge", (Status.SENT,), Status.ACKNOWLEDGED, "file_ders"),
        initial=(Status.SENT,),
    )

    uuid = models.UUIDField("receipt id", default=uuid.uuid4, unique=True, editable=False)
    run = models.ForeignKey(EnvelopeRun, on_delete=models.PROTECT, related_name="receipts", db_constraint=False)
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    edc = utility()
    feeder_code = models.CharField("feeder", max_length=40)
    number = models.PositiveIntegerField("set number")
    content_hash = models.CharField(max_length=64)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    changed = models.PositiveIntegerField("DERs with another envelope")
    # of the oldest receipts only how many was kept, and the limits in force then are not told again: so the count stays beside them
    ders = ArrayField(models.BigIntegerField(), verbose_name="which these are", default=list, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.SENT)
    sent_at = models.DateTimeField(default=timezone.now)
    acknowledged_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "receipt of envelopes"
        verbose_name_plural = "receipts of envelopes"
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="envelope_receipt_by_aggregator"),
            models.Index(fields=["aggregator", "starts_at"], name="envelope_receipt_by_hours"),
            models.Index(fields=["edc", "-id"], name="envelope_receipt_by_utility"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["run", "aggregator"], name="envelope_receipt_once"),
            models.CheckConstraint(condition=Q(ders=[]) | Q(changed=F("ders__len")), name="envelope_receipt_counts"),
        ]

    def __str__(self) -> str:
        return f"Set {self.number} of {self.feeder_code}"
