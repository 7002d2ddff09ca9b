"""A service transformer that a forecast takes over its rating on a day, and what was done about it."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition
from moc.units import MagnitudeField
from operations.envelopes.models import EnvelopeRun
from operations.forecasts.models import Forecast
from operations.outages.models import party
from registry.grid.models import Feeder, Transformer


class TransformerAlarm(models.Model):
    """One transformer and day, by the P90 of the forecast's load where its errors are known (reports.loads). `over_kwh` is the energy above
    the rating, from `starts_at` to `ends_at`. Evaluated, `parts` are the DERs whose charging is curtailed ([id, kW, kW left], EVs first),
    `covered_kw` what that takes off the peak, and `run` the envelopes with it."""

    access_paths = ("edc",)

    class Status(models.TextChoices):
        RAISED = "raised", "Raised"
        EVALUATED = "evaluated", "Evaluated"
        DEACTIVATED = "deactivated", "Deactivated"
        OVER = "over", "Over"

    lifecycle = Lifecycle(
        Transition("evaluate", (Status.RAISED,), Status.EVALUATED, "manage_grid", label="Curtail charging"),
        Transition("deactivate", (Status.RAISED, Status.EVALUATED), Status.DEACTIVATED, "manage_grid", needs_reason=True, danger=True),
        Transition("pass", (Status.RAISED, Status.EVALUATED), Status.OVER, None),
        initial=(Status.RAISED,),
    )
    STANDING = (Status.RAISED, Status.EVALUATED)

    uuid = models.UUIDField("alarm id", default=uuid.uuid4, unique=True, editable=False)
    edc = party("utility")
    feeder = models.ForeignKey(Feeder, on_delete=models.PROTECT, related_name="+")
    transformer = models.ForeignKey(Transformer, on_delete=models.PROTECT, related_name="alarms", db_index=False)
    forecast = models.ForeignKey(Forecast, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.RAISED)
    rated_kva = MagnitudeField("rating (kVA)")
    peak_kw = models.FloatField("forecast peak (kW)")
    over_kwh = models.FloatField("above the rating (kWh)")
    starts_at = models.DateTimeField("over its rating from")
    ends_at = models.DateTimeField("to")
    parts = models.JSONField(default=list, blank=True)
    covered_kw = models.FloatField("taken off the peak (kW)", default=0)
    run = models.ForeignKey(EnvelopeRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    raised_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "transformer alarm"
        constraints = [
            models.UniqueConstraint(
                fields=["transformer", "day"], condition=Q(status__in=["raised", "evaluated"]), name="transformer_alarm_once"
            ),
        ]
        indexes = [models.Index(fields=["edc", "-id"], name="transformer_alarm_by_utility")]

    def __str__(self) -> str:
        return f"{self.transformer} on {self.day}"

    @property
    def is_curtailed(self) -> bool:
        """Whether envelopes that curtail charging for it are in force: a set that was published with its limits, and not withdrawn."""
        if self.status != self.Status.EVALUATED:
            return False
        sets = EnvelopeRun.objects.of_feeder(self.feeder_id).overlapping(self.starts_at, self.ends_at).in_force()
        within = [run for run, since, until in sets if since < self.ends_at and until > self.starts_at]
        return bool(within) and all(str(der) in run.caps for run in within for der, *_ in self.parts)

    @property
    def over_kw(self) -> float:
        """How far the forecast goes above the rating, kW (at unity power factor)."""
        return self.peak_kw - float(self.rated_kva)
