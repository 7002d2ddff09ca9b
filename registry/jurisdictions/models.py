"""Which regulator governs which utility where, what a utility sold, which aggregators are its affiliates, and its retail programs."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition
from moc.units import MagnitudeField
from registry.grid.models import County
from registry.jurisdictions.queries import ProgramQuerySet
from registry.participants.queries import DatedQuerySet


def utility(related_name: str) -> models.ForeignKey:
    return models.ForeignKey(Organization, on_delete=models.PROTECT, related_name=related_name, verbose_name="utility")


def days() -> DateRangeField:
    return DateRangeField("in force", help_text="days, half open")


class Jurisdiction(models.Model):
    """A regulator governs a utility in a county on some days. What it may do there (¶322) is its rule set `rerra_involvement`."""

    access_paths = ("PUBLIC", "rerra", "edc")

    rerra = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="jurisdictions", verbose_name="regulator")
    edc = utility("regulators")
    county = models.ForeignKey(County, on_delete=models.PROTECT, related_name="jurisdictions")
    valid_during = days()

    objects = DatedQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="one_regulator_a_day",
                expressions=[
                    ("edc", RangeOperators.EQUAL),
                    ("county", RangeOperators.EQUAL),
                    ("valid_during", RangeOperators.OVERLAPS),
                ],
                violation_error_message="Another regulator governs the utility in this county on some of these days.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.rerra} over {self.edc} in {self.county}"


class AnnualSales(models.Model):
    """What a utility distributed in a fiscal year: the small-utility test (4 million MWh) asks for the year before."""

    access_paths = ("PUBLIC", "edc")

    edc = utility("annual_sales")
    year = models.PositiveSmallIntegerField("fiscal year")
    sales_mwh = MagnitudeField("sales (MWh)")
    source = models.CharField(max_length=200)

    objects = ScopedQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        verbose_name = "sales of a year"
        verbose_name_plural = "sales by year"
        ordering = ["edc", "-year"]
        constraints = [models.UniqueConstraint(fields=["edc", "year"], name="sales_once")]

    def __str__(self) -> str:
        return f"{self.edc}, {self.year}"


class Affiliation(models.Model):
    """An aggregator is an affiliate of a utility on some days: reviews of its DERs are watched for preference (¶292)."""

    access_paths = ("PUBLIC", "aggregator", "edc")

    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="affiliations")
    edc = utility("affiliates")
    valid_during = days()
    source = models.CharField(max_length=200, help_text="where it is from, such as a filing of the utility")

    objects = DatedQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        ordering = ["aggregator", "edc"]
        constraints = [
            ExclusionConstraint(
                name="affiliate_once",
                expressions=[
                    ("aggregator", RangeOperators.EQUAL),
                    ("edc", RangeOperators.EQUAL),
                    ("valid_during", RangeOperators.OVERLAPS),
                ],
                violation_error_message="The aggregator is an affiliate of this utility on some of these days already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.aggregator}, affiliate of {self.edc}"


class RetailProgram(models.Model):
    """A utility's tariff or retail program with its terms: which services it pays for, and whether it bars wholesale participation (¶296).

    The code is what filings name in `retail_programs`. Terms hold once another person than drafted them puts them in force; then they stay
    as they are, until later ones take their place.
    """

    access_paths = ("PUBLIC", "edc")

    class Kind(models.TextChoices):
        NET_METERING = "net_metering", "Net metering"
        DEMAND_RESPONSE = "demand_response", "Demand response"
        NON_WIRES = "non_wires", "Non-wires contract"
        RATE = "rate", "Time-varying rate"
        OTHER = "other", "Other"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_FORCE = "in_force", "Approved"
        WITHDRAWN = "withdrawn", "Withdrawn"

    lifecycle = Lifecycle(
        Transition("approve", (Status.DRAFT,), Status.IN_FORCE, "manage_grid", sensitive=True),
        Transition("withdraw", (Status.DRAFT,), Status.WITHDRAWN, "manage_grid", danger=True),
        initial=(Status.DRAFT,),
    )

    edc = utility("retail_programs")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.DRAFT, editable=False)
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    pays_for = ArrayField(models.SlugField(max_length=60), default=list, blank=True, help_text="codes of services, separated by commas")
    bars_wholesale = models.BooleanField("bars wholesale participation", default=False)
    tariff = models.CharField("tariff sheet", max_length=200, help_text="where its terms stand")
    valid_during = days()
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", editable=False)

    objects = ProgramQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        ordering = ["edc", "code"]
        constraints = [
            ExclusionConstraint(
                name="program_terms_once",
                expressions=[("edc", RangeOperators.EQUAL), ("code", RangeOperators.EQUAL), ("valid_during", RangeOperators.OVERLAPS)],
                condition=Q(status="in_force"),
                violation_error_message="Other terms of this program are in force on some of these days.",
            ),
            models.CheckConstraint(name="program_four_eyes", condition=~Q(approved_by=F("drafted_by"))),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.edc})"

    def validate_constraints(self, exclude=None) -> None:
        """What a form does not show decides too: the status says whether other terms collide."""
        super().validate_constraints(exclude=set(exclude or ()) - {"status"})
