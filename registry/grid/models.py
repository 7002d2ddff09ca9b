"""Grid records, named as in CIM (UsagePoint is ServicePoint). The electrical model itself belongs to operations."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from moc import rules
from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.access.visibility import FieldGroup
from moc.documents.models import Document
from moc.history import Versions
from moc.jobs.models import Job
from moc.lifecycle import Lifecycle, Transition
from moc.units import MagnitudeField


class County(models.Model):
    """A county by its FIPS code."""

    access_paths = ("PUBLIC",)

    fips = models.CharField(max_length=5, primary_key=True)
    name = models.CharField(max_length=80)
    state = models.CharField(max_length=2)
    population = models.PositiveIntegerField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["state", "name"]
        verbose_name_plural = "counties"

    def __str__(self) -> str:
        return f"{self.name}, {self.state}"


class ServiceTerritory(models.Model):
    """A utility serves (part of) a county."""

    access_paths = ("PUBLIC", "edc")

    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="territories")
    county = models.ForeignKey(County, on_delete=models.PROTECT, related_name="territories")

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name_plural = "service territories"
        constraints = [models.UniqueConstraint(fields=["edc", "county"], name="territory_once")]

    def __str__(self) -> str:
        return f"{self.edc} in {self.county}"


class Pnode(models.Model):
    """A pricing node of a transmission operator."""

    access_paths = ("PUBLIC",)

    tso = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="pnodes")
    name = models.CharField(max_length=60)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["tso", "name"], name="pnode_once")]

    def __str__(self) -> str:
        return self.name


class TdInterface(models.Model):
    """The transmission-distribution interface: where a utility takes its power from a transmission operator."""

    access_paths = ("edc", "pnode__tso")
    seen_with = ("registry.Substation.td_interface",)

    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="td_interfaces")
    pnode = models.ForeignKey(Pnode, on_delete=models.PROTECT, related_name="td_interfaces")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "T-D interface"
        constraints = [models.UniqueConstraint(fields=["edc", "code"], name="td_interface_once")]

    def __str__(self) -> str:
        return self.name


class Substation(models.Model):
    """A distribution substation below a T-D interface."""

    access_paths = ("edc",)
    seen_with = ("registry.Feeder.substation",)

    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="substations")
    td_interface = models.ForeignKey(TdInterface, on_delete=models.PROTECT, related_name="substations", verbose_name="T-D interface")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    latitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)
    longitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edc", "code"], name="substation_once")]

    def __str__(self) -> str:
        return self.name


class Feeder(models.Model):
    """A medium-voltage feeder."""

    access_paths = ("edc",)
    seen_with = ("registry.Der.feeder", "registry.ServicePoint.feeder")

    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="feeders")
    substation = models.ForeignKey(Substation, on_delete=models.PROTECT, related_name="feeders")
    code = models.CharField(max_length=40)
    nominal_kv = models.DecimalField("nominal voltage (kV)", max_digits=7, decimal_places=3, default="13.2")

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edc", "code"], name="feeder_once")]

    def __str__(self) -> str:
        return self.code


class Transformer(models.Model):
    """A distribution transformer."""

    access_paths = ("edc",)
    seen_with = ("registry.ServicePoint.transformer",)

    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="transformers")
    feeder = models.ForeignKey(Feeder, on_delete=models.PROTECT, related_name="transformers")
    code = models.CharField(max_length=40)
    rated_kva = MagnitudeField("rating (kVA)", null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edc", "code"], name="transformer_once")]

    def __str__(self) -> str:
        return self.code


# what a regulator may hide of service points from those to whom they are not the utility's own
POINT_GROUPS = (
    FieldGroup("service_points", "place", "Place", ("address", "zip_code", "latitude", "longitude"), ("aggregator", "tso")),
    FieldGroup("service_points", "supply", "Supply", ("phases_available", "nominal_voltage_v"), ("aggregator", "tso")),
)


class ServicePoint(models.Model):
    """Where a customer is connected (CIM UsagePoint)."""

    access_paths = ("edc",)
    field_groups, hidden_by, seen_by = POINT_GROUPS, "edc", {"aggregator": "ders__aggregator"}
    # whoever filed it gave its id; whoever held a DER there sees that record as it stood
    seen_with = ("registry.Der.service_point", "registry.StagedDer.service_point", "registry.DerTenure.service_point")

    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    usage_point_id = models.CharField(max_length=40)
    transformer = models.ForeignKey(Transformer, null=True, blank=True, on_delete=models.PROTECT, related_name="service_points")
    feeder = models.ForeignKey(Feeder, null=True, blank=True, on_delete=models.PROTECT, related_name="service_points")
    county = models.ForeignKey(County, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    zip_code = models.CharField("ZIP code", max_length=10, blank=True)
    address = models.CharField(max_length=200, blank=True)
    latitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)
    longitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)
    phases_available = models.PositiveSmallIntegerField(null=True, blank=True)
    nominal_voltage_v = models.PositiveIntegerField("nominal voltage (V)", null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions(listed_by=("edc",))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edc", "usage_point_id"], name="service_point_once"),
            models.CheckConstraint(condition=models.Q(phases_available__lte=3), name="service_point_phases"),
        ]

    def __str__(self) -> str:
        return self.usage_point_id


class GridLoad(models.Model):
    """A file of one kind of grid records that a utility loads: all of its rows, or only the good ones, or nothing."""

    access_paths = ("edc",)

    class Kind(models.TextChoices):
        TD_INTERFACES = "td-interfaces", "T-D interfaces"
        SUBSTATIONS = "substations", "Substations"
        FEEDERS = "feeders", "Feeders"
        TRANSFORMERS = "transformers", "Transformers"
        SERVICE_POINTS = "service-points", "Service points"

    class Status(models.TextChoices):
        READING = "reading", "Being read"
        LOADED = "loaded", "Loaded"
        REFUSED = "refused", "Nothing loaded: rows have errors"
        FAILED = "failed", "Not read"

    lifecycle = Lifecycle(
        Transition("load", (Status.READING,), Status.LOADED, None),
        Transition("refuse", (Status.READING,), Status.REFUSED, None),
        Transition("fail", (Status.READING,), Status.FAILED, None),
        Transition("take_good", (Status.REFUSED,), Status.READING, "manage_grid", label="Load the good rows"),
        initial=(Status.READING,),
    )

    uuid = models.UUIDField("load id", default=uuid.uuid4, unique=True, editable=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="grid_loads", verbose_name="utility")
    kind = models.CharField("records", max_length=15, choices=Kind.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.READING)
    only_good = models.BooleanField("only the good rows", default=False)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sheet = models.JSONField(default=dict, blank=True, help_text="how the file was read: kind, encoding, columns, unknown columns")
    row_count = models.PositiveIntegerField("rows", default=0)
    bad = models.PositiveIntegerField("with errors", default=0)
    created = models.PositiveIntegerField("new records", default=0)
    changed = models.PositiveIntegerField("changed records", default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["edc", "-id"], name="grid_load_by_utility")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.document}"


class GridFinding(models.Model):
    """What is wrong with a row of a file of grid records: the rule's code gives sentence and remedy; the value is as given."""

    access_paths = ("edc",)

    load = models.ForeignKey(GridLoad, on_delete=models.CASCADE, related_name="findings", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    row_number = models.PositiveIntegerField()
    code = models.CharField(max_length=60)
    severity = models.CharField(max_length=8)
    column = models.CharField(max_length=60, blank=True)
    value = models.TextField(blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["row_number", "code", "column"]
        indexes = [models.Index(fields=["load", "row_number", "id"], name="grid_finding_by_row")]

    def __str__(self) -> str:
        return f"Row {self.row_number}, {self.column}: {self.code}"

    @property
    def rule(self):
        """The rule that found it."""
        return rules.registry[self.code]
