"""A feeder's electrical model in versions: each is loaded, checked, approved by a second person, then current until the next."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from moc import rules
from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.documents.models import Document
from moc.history import Versions
from moc.jobs.models import Job
from moc.lifecycle import Lifecycle, Transition
from registry.grid.models import Feeder, ServicePoint


def utility() -> models.ForeignKey:
    return models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility", db_index=False)


class NetworkVersion(models.Model):
    """One load of a feeder's electrical model. A broken one never replaces a good one: only what was checked can be approved."""

    access_paths = ("edc",)

    class Source(models.TextChoices):
        OPENDSS = "opendss", "OpenDSS (a .dss file, or a .zip of them)"
        CIM = "cim", "CIM100 RDF/XML"
        TABLE = "table", "CSV of sources, lines, transformers and points"

    class Status(models.TextChoices):
        READING = "reading", "Being read"
        STAGED = "staged", "Checked, waits for approval"
        BROKEN = "broken", "Broken: has errors"
        CURRENT = "current", "Current"
        REJECTED = "rejected", "Rejected"
        SUPERSEDED = "superseded", "Superseded"
        FAILED = "failed", "Not read"

    lifecycle = Lifecycle(
        Transition("stage", (Status.READING,), Status.STAGED, None),
        Transition("refuse", (Status.READING,), Status.BROKEN, None),
        Transition("fail", (Status.READING,), Status.FAILED, None),
        Transition("approve", (Status.STAGED,), Status.CURRENT, "manage_grid"),
        Transition("reject", (Status.STAGED,), Status.REJECTED, "manage_grid", needs_reason=True, danger=True),
        Transition("supersede", (Status.CURRENT,), Status.SUPERSEDED, None),
        initial=(Status.READING,),
    )

    uuid = models.UUIDField("network version id", default=uuid.uuid4, unique=True, editable=False)
    edc = utility()
    feeder = models.ForeignKey(Feeder, on_delete=models.PROTECT, related_name="networks", db_index=False)
    source = models.CharField(max_length=10, choices=Source.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.READING)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    topology_hash = models.CharField(max_length=64, blank=True, help_text="of everything that decides a power flow")
    node_count = models.PositiveIntegerField("nodes", default=0)
    element_count = models.PositiveIntegerField("elements", default=0)
    point_count = models.PositiveIntegerField("points", default=0)
    linked_count = models.PositiveIntegerField("points with a service point", default=0)
    loaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["edc", "-id"], name="network_by_utility")]
        constraints = [
            models.UniqueConstraint(fields=["feeder"], condition=Q(status="current"), name="network_one_current"),
            models.CheckConstraint(condition=~Q(approved_by=F("loaded_by")), name="network_four_eyes"),
        ]

    def __str__(self) -> str:
        return f"Network of {self.feeder}, {self.document}"


class OfVersion(models.Model):
    """A row of one network version; it carries the utility by which lists are cut."""

    access_paths = ("edc",)

    version = models.ForeignKey(NetworkVersion, on_delete=models.CASCADE, related_name="%(class)ss", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True


class NetworkArrays(OfVersion):
    """The compiled arrays of a version, as FeederModel.save() writes them; workers keep a copy by topology hash."""

    content = models.BinaryField()

    class Meta:
        verbose_name_plural = "network arrays"
        constraints = [models.UniqueConstraint(fields=["version"], name="network_arrays_once")]

    def __str__(self) -> str:
        return f"Arrays of {self.version}"


class NetworkElement(OfVersion):
    """A line, transformer, capacitor or source with its rating, and how loaded it is in the model as it was loaded."""

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    from_bus = models.CharField(max_length=120)
    to_bus = models.CharField(max_length=120, blank=True)
    phases = models.PositiveSmallIntegerField()
    rated_a = models.FloatField("rating (A)", null=True)
    loading_percent = models.FloatField("loading (%)", null=True)
    x1 = models.FloatField(null=True)
    y1 = models.FloatField(null=True)
    x2 = models.FloatField(null=True)
    y2 = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "name"], name="network_element_once")]

    def __str__(self) -> str:
        return self.name


class NetworkPoint(OfVersion):
    """A load or resource of the model, at a bus; linked to the registry's service point where one bears its name."""

    number = models.PositiveIntegerField(help_text="place in the arrays")
    name = models.CharField(max_length=120)
    bus = models.CharField(max_length=120)
    phases = models.PositiveSmallIntegerField()
    load_kw = models.FloatField("load in the model (kW)")
    voltage_pu = models.FloatField("voltage (per unit)", null=True)
    x = models.FloatField(null=True)
    y = models.FloatField(null=True)
    service_point = models.ForeignKey(ServicePoint, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "number"], name="network_point_once")]

    def __str__(self) -> str:
        return self.name


class NetworkFinding(OfVersion):
    """What is wrong with an element or a point of a loaded model; the rule's code gives sentence and remedy."""

    element = models.CharField(max_length=120)
    code = models.CharField(max_length=60)
    severity = models.CharField(max_length=8)
    value = models.TextField(blank=True)

    class Meta:
        ordering = ["severity", "code", "element"]
        indexes = [models.Index(fields=["version", "severity", "code"], name="network_finding_of_version")]

    def __str__(self) -> str:
        return f"{self.element}: {self.code}"

    @property
    def rule(self):
        """The rule that found it."""
        return rules.registry[self.code]
