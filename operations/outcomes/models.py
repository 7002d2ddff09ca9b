"""What became of a published set: one row of each set and aggregator, never of intervals or DERs."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast
from django.utils import timezone

from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from operations.envelopes.models import EnvelopeRun
from operations.outages.models import party
from registry.grid.models import Feeder

# the values of each DER in `figures`, in this order; energy that nothing tells of is null. Older ones do not tell an operator's part.
FIGURES = (
    "der external_id kept readings judged beyond heard_hours import_kwh export_kwh curtailed_import_kwh curtailed_export_kwh estimated_kwh "
    "storage_kwh unknown_hours operator_import_kwh operator_export_kwh"
).split()
# of `series`: kWh by interval of the set's window, beside its beginning (starts_at) and the length of an interval (minutes)
LINES = ("export", "import", "held_export", "held_import")


# by name what of the curtailed energy the grid's limits held back, as a column of queries; as by_grid() says
EXACT = models.DecimalField(max_digits=16, decimal_places=3)
BY_GRID = {
    f"grid_{way}_kwh": Cast(Cast(F(f"curtailed_{way}_kwh") - F(f"operator_{way}_kwh"), EXACT), models.FloatField())
    for way in ("import", "export")
}


def by_grid(curtailed: float | None, operator: float | None) -> float | None:
    """What of curtailed energy no operator's limit held back; None where either is not known."""
    return None if curtailed is None or operator is None else round(curtailed - operator, 3)


class EnvelopeOutcome(models.Model):
    """Of one aggregator's DERs in one set, while it was in force: who kept to it, what they injected and drew, and what it held back.

    Made anew when readings may have come late or corrected; its versions keep what was said before. `figures` are those by DER (FIGURES),
    `series` those by interval (LINES). Of what was not heard nothing is said: energy is null where nothing was, never zero."""

    access_paths = ("aggregator", "edc")

    uuid = models.UUIDField("outcome id", default=uuid.uuid4, unique=True, editable=False)
    run = models.ForeignKey(EnvelopeRun, on_delete=models.PROTECT, related_name="outcomes", db_index=False)
    aggregator = party("aggregator", null=True)
    edc = party("utility")
    feeder = models.ForeignKey(Feeder, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField("set number")
    starts_at = models.DateTimeField("in force from")
    ends_at = models.DateTimeField("in force until")
    hours = models.FloatField("hours in force", help_text="without the time for which it was held")
    ders = models.PositiveIntegerField("DERs in the set")
    heard = models.PositiveIntegerField("DERs heard of")
    beyond = models.PositiveIntegerField("DERs that went beyond")
    readings = models.PositiveIntegerField()
    heard_percent = models.FloatField("of their hours heard (%)")
    import_kwh = models.FloatField("measured import (kWh)", null=True)
    export_kwh = models.FloatField("measured export (kWh)", null=True)
    curtailed_import_kwh = models.FloatField("curtailed import (kWh)", null=True)
    curtailed_export_kwh = models.FloatField("curtailed export (kWh)", null=True, help_text="with what was estimated")
    operator_import_kwh = models.FloatField("curtailed import by an operator (kWh)", null=True, help_text="by an operator's own limits")
    operator_export_kwh = models.FloatField("curtailed export by an operator (kWh)", null=True, help_text="by an operator's own limits")
    estimated_kwh = models.FloatField("estimated from forecasts (kWh)", null=True, help_text="part of the curtailed export")
    storage_kwh = models.FloatField("room of storage not used (kWh)", null=True)
    unknown_hours = models.FloatField("hours at a limit of which nothing tells", help_text="of all DERs together")
    figures = models.JSONField("by DER", default=list)
    series = models.JSONField("by interval", default=dict)
    made_at = models.DateTimeField("made at", default=timezone.now, help_text="readings received by then are in it")

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "outcome of envelopes"
        verbose_name_plural = "outcomes of envelopes"
        constraints = [
            models.UniqueConstraint(fields=["run", "aggregator"], nulls_distinct=False, name="envelope_outcome_once"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="envelope_outcome_span"),
            models.CheckConstraint(condition=Q(heard__lte=F("ders"), beyond__lte=F("heard")), name="envelope_outcome_counts"),
        ]
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="outcome_by_aggregator"),
            models.Index(fields=["edc", "-id"], name="outcome_by_utility"),
        ]

    def __str__(self) -> str:
        return f"Set {self.number} of {self.feeder}, {timezone.localtime(self.starts_at):%Y-%m-%d}"

    @property
    def grid_import_kwh(self) -> float | None:
        """What of the curtailed import the grid's limits held back; None where it is not told apart."""
        return by_grid(self.curtailed_import_kwh, self.operator_import_kwh)

    @property
    def grid_export_kwh(self) -> float | None:
        """What of the curtailed export the grid's limits held back; None where it is not told apart."""
        return by_grid(self.curtailed_export_kwh, self.operator_export_kwh)
