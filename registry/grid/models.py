"""Grid records, named as in CIM (UsagePoint is ServicePoint). The electrical model itself belongs to operations."""

from django.db import models

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
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

    access_paths = ("PUBLIC",)

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


class ServicePoint(models.Model):
    """Where a customer is connected (CIM UsagePoint)."""

    access_paths = ("edc",)

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
    history = Versions()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["edc", "usage_point_id"], name="service_point_once"),
            models.CheckConstraint(condition=models.Q(phases_available__lte=3), name="service_point_phases"),
        ]

    def __str__(self) -> str:
        return self.usage_point_id
