"""What is published: the cells of tables, each frozen until enough customers have changed."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.units import MagnitudeField


class PublishedCell(models.Model):
    """One figure of a public table: a row and a column of it ("" is the total), with what was counted at `read_at`.

    A hidden one has no figures: they are nowhere in this table or its versions.
    """

    access_paths = ("PUBLIC",)

    class Cube(models.TextChoices):
        PLACE = "place", "County and technology"
        PARTY = "party", "Utility and customer sector"

    cube = models.CharField("table", max_length=8, choices=Cube.choices)
    row = models.CharField(max_length=60, blank=True, help_text="county (FIPS) or utility (slug); empty: all")
    column = models.CharField(max_length=40, blank=True, help_text="technology or sector; empty: all")
    customers = models.PositiveIntegerField(null=True)
    nameplate_ac_kw = MagnitudeField("nameplate AC (kW)", null=True)
    read_at = models.DateTimeField("counted at")

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["cube", "row", "column"]
        verbose_name = "published figure"
        constraints = [
            models.UniqueConstraint(fields=["cube", "row", "column"], name="published_once"),
            models.CheckConstraint(
                name="published_whole",
                condition=Q(customers__isnull=True, nameplate_ac_kw__isnull=True)
                | Q(customers__isnull=False, nameplate_ac_kw__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_cube_display()}: {self.row or 'all'}, {self.column or 'all'}"

    @property
    def shown(self) -> bool:
        """Whether it has figures."""
        return self.customers is not None


class Publication(models.Model):
    """One publication: when it read, and how many cells it showed anew, left as they were, and hid."""

    access_paths = ("PUBLIC",)

    read_at = models.DateTimeField(default=timezone.now)
    renewed = models.PositiveIntegerField()
    kept = models.PositiveIntegerField("left as they were")
    hidden = models.PositiveIntegerField()
    least = models.PositiveIntegerField("least customers")
    percent = models.PositiveIntegerField("largest share of one customer (%)")

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Publication of {timezone.localtime(self.read_at):%Y-%m-%d}"
