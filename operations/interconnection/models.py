"""A study of a new DER at a point of a feeder, and the settings that a DER's inverter was read back to have."""

import uuid

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.queries import ScopedQuerySet
from moc.history import Appended, Refuse, Versions
from moc.lifecycle import Transition
from moc.units import MagnitudeField
from operations.computed.models import OnNetwork, computing
from operations.outages.models import party
from registry.ders.choices import technologies
from registry.ders.models import Der
from registry.grid.models import Feeder, ServicePoint
from registry.submissions.models import Decision

STUDIED = "resource.studied"  # the point of the arrays that stands for the DER


class InterconnectionStudy(OnNetwork):
    """A new DER at a service point, or at phases of a bus: what it may inject and draw over a year on the feeder's model.

    `result` by direction ("export", "import"): limit_kw, kind and element of what binds by month and hour (288 values, month after month;
    kind and element as places in `names`), possible_kwh and curtailed_kwh by month; and `year`, where the year comes from. Idempotent by
    feeder, topology and digest of what is studied."""

    access_paths = ("edc",)

    class Status(models.TextChoices):
        COMPUTING = "computing", "Being computed"
        DONE = "done", "Done"
        ADOPTED = "adopted", "Adopted in a review"
        FAILED = "failed", "Not computed"

    TASK, ARGUMENT = "operations.interconnection.tasks.study", "study"
    lifecycle = computing(Transition("adopt", (Status.DONE,), Status.ADOPTED, None))

    uuid = models.UUIDField("study id", default=uuid.uuid4, unique=True, editable=False)
    feeder = models.ForeignKey(Feeder, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, editable=False, help_text="of what is studied")
    title = models.CharField(max_length=120)
    service_point = models.ForeignKey(ServicePoint, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    bus = models.CharField(max_length=120)
    phases = models.CharField(max_length=3, blank=True, help_text="empty at a service point: its own")
    technology = models.CharField(max_length=30, choices=technologies)
    rated_kw = MagnitudeField("rated power (kW)")
    charge_kw = MagnitudeField("maximum charge (kW)", default=0)
    rated_kva = MagnitudeField("rated apparent power (kVA)")
    inverter_settings = models.JSONField("inverter settings", default=dict, blank=True)
    accepted_percent = models.FloatField(
        "accepted curtailment (% of a year)", default=5, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.COMPUTING)
    firm_export_kw = models.FloatField("firm export (kW)", null=True)
    flexible_export_kw = models.FloatField("flexible export (kW)", null=True)
    firm_import_kw = models.FloatField("firm import (kW)", null=True)
    flexible_import_kw = models.FloatField("flexible import (kW)", null=True)
    curtailed_percent = models.FloatField("curtailed (% of a year)", null=True)
    windows = models.JSONField("limits by time", default=list, blank=True)
    proposed_settings = models.JSONField("proposed settings", default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    decision = models.ForeignKey(Decision, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "interconnection study"
        verbose_name_plural = "interconnection studies"
        indexes = [models.Index(fields=["edc", "-id"], name="interconnection_by_utility")]
        constraints = [
            models.UniqueConstraint(
                fields=["feeder", "topology_hash", "digest"],
                condition=Q(status__in=["computing", "done"]),
                name="interconnection_study_once",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class SettingsReadback(Appended):
    """What a DER's inverter was read back to have, at a moment: told by its aggregator, held against what was issued.

    `comparison`: [what, read back (None: not set), issued, tolerance, same] of each issued setting and limit; `differences`: [what, read
    back, issued] of those that are not the same."""

    access_paths = ("aggregator", "edc")

    class Source(models.TextChoices):
        DEVICE = "device", "Device"
        GATEWAY = "gateway", "Gateway"
        PLATFORM = "platform", "Aggregator's platform"
        HAND = "hand", "By hand, on site"

    der = models.ForeignKey(Der, on_delete=models.PROTECT, related_name="settings_readbacks", db_index=False, verbose_name="DER")
    aggregator = party("aggregator")
    edc = party("utility")
    at = models.DateTimeField("read at")
    source = models.CharField("read by", max_length=10, choices=Source.choices, default=Source.PLATFORM)
    told_at = models.DateTimeField(default=timezone.now, editable=False)
    inverter_settings = models.JSONField("inverter settings")
    export_limit_kw = models.FloatField("export limit (kW)", null=True)
    import_limit_kw = models.FloatField("import limit (kW)", null=True)
    comparison = models.JSONField(default=list)
    differences = models.JSONField(default=list)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "settings read back"
        verbose_name_plural = "settings read back"
        constraints = [models.UniqueConstraint(fields=["der", "at"], name="settings_readback_once")]
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="readback_by_aggregator"),
            models.Index(fields=["edc", "-id"], name="readback_by_utility"),
        ]
        triggers = [
            Refuse(name="sealed_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Refuse(name="sealed_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return f"{self.der}, {timezone.localtime(self.at):%Y-%m-%d %H:%M}"
