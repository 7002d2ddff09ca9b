"""Interval data of meters, day by day, and forecasts as they were published: both are only ever added to."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from moc.access.models import Organization
from moc.history import Appended, Refuse
from operations.forecasts.queries import ForecastQuerySet, MeterDayQuerySet
from registry.grid.models import Feeder, ServicePoint


class MeterDay(Appended):
    """The energy of a service point in the intervals of a local day (of 23, 24 or 25 hours), in kWh, injection positive; gaps are empty.

    What is published later is another row; the latest counts."""

    access_paths = ("edc",)
    archived_by = "published_at"

    class Source(models.TextChoices):
        GREEN_BUTTON = "green_button", "Green Button file"
        AMI = "ami", "CSV of meters"
        GENERATED = "generated", "Generated for demonstration"

    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="utility")
    service_point = models.ForeignKey(ServicePoint, on_delete=models.PROTECT, related_name="meter_days", db_index=False)
    day = models.DateField()
    minutes = models.PositiveSmallIntegerField("interval (min)")
    kwh = ArrayField(models.FloatField(null=True), verbose_name="energy (kWh)")
    source = models.CharField(max_length=12, choices=Source.choices)
    published_at = models.DateTimeField(default=timezone.now)

    objects = MeterDayQuerySet.as_manager()

    class Meta:
        verbose_name = "meter's day"
        verbose_name_plural = "meters' days"
        constraints = [models.UniqueConstraint(fields=["service_point", "day", "published_at"], name="meter_day_once")]
        indexes = [models.Index(fields=["edc", "-id"], name="meter_day_by_utility")]
        triggers = [
            Refuse(name="kept_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Refuse(name="kept_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return f"{self.service_point}, {self.day}"


def _errors(quantile: str) -> ArrayField:
    """One value for each transformer; empty where no back-test tells them."""
    told = "what came less what was forecast, by transformer; empty: not known"
    return ArrayField(models.FloatField(null=True), verbose_name=f"{quantile} of errors (kW)", default=list, blank=True, help_text=told)


class Forecast(Appended):
    """A day of a feeder as it was forecast at a moment: every meter, every transformer and their sum, in kW, injection positive.

    Meters and transformers are blocks (rows in the order of `points` and `transformers`, one column an interval from `starts_at` on);
    the sum stands with the bounds between which eight of ten days have lain, and each transformer with the errors
    between which they did. `known_until` is the last moment of meter data in it."""

    access_paths = ("edc",)
    archived_by = "published_at"

    class Kind(models.TextChoices):
        DAY_AHEAD = "day_ahead", "Day ahead"
        INTRADAY = "intraday", "Intraday"

    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="utility")
    feeder = models.ForeignKey(Feeder, on_delete=models.PROTECT, related_name="forecasts", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    day = models.DateField()
    starts_at = models.DateTimeField("from")
    minutes = models.PositiveSmallIntegerField("interval (min)")
    published_at = models.DateTimeField()
    known_until = models.DateTimeField("meter data until")
    points = ArrayField(models.BigIntegerField(), verbose_name="service points")
    transformers = ArrayField(models.BigIntegerField())
    unit = models.FloatField("unit of the blocks (kW)")
    meters_block = models.BinaryField()
    transformers_block = models.BinaryField()
    feeder_kw = ArrayField(models.FloatField(), verbose_name="sum (kW)")
    low_kw = ArrayField(models.FloatField(), verbose_name="low bound (kW)", default=list)
    high_kw = ArrayField(models.FloatField(), verbose_name="high bound (kW)", default=list)
    low_error_kw = _errors("P10")
    high_error_kw = _errors("P90")

    objects = ForecastQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feeder", "day", "kind", "known_until"], name="forecast_once")]
        indexes = [models.Index(fields=["edc", "-id"], name="forecast_by_utility")]
        triggers = [
            Refuse(name="sealed_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Refuse(name="sealed_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return f"{self.feeder}, {self.day}, {self.get_kind_display().lower()}"
