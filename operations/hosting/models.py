"""A feeder's hosting capacity by node, kept by topology and window."""

import uuid

from django.db import models
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from operations.computed.models import OnNetwork, again, computing


class HostingMap(OnNetwork):
    """What each node of a feeder can host, one at a time, beside all that is registered. Idempotent by feeder, topology and window."""

    access_paths = ("edc",)

    TASK, ARGUMENT = "operations.hosting.tasks.compute", "map"
    lifecycle = computing(again("manage_grid", "Compute again"))

    uuid = models.UUIDField("map id", default=uuid.uuid4, unique=True, editable=False)
    window = models.CharField("month", max_length=7, help_text="in which the year of its loads ends")
    node_count = models.PositiveIntegerField("nodes", default=0)
    facts = models.JSONField(default=dict, blank=True, help_text="where its year comes from, and the hours that leave least room")
    ordered_at = models.DateTimeField(default=timezone.now)
    computed_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "hosting map"
        constraints = [models.UniqueConstraint(fields=["feeder", "topology_hash", "window"], name="hosting_map_once")]
        indexes = [models.Index(fields=["edc", "-id"], name="hosting_map_by_utility")]

    def __str__(self) -> str:
        return f"Hosting capacity of {self.feeder}, {self.window}"


class HostingNode(models.Model):
    """One bus of a map: what it can host in each direction alone, and what binds ("": nothing up to what was tried)."""

    access_paths = ("edc",)

    class Binds(models.TextChoices):
        VOLTAGE = "voltage", "Voltage"
        THERMAL = "thermal", "Rating of a line or transformer"

    map = models.ForeignKey(HostingMap, on_delete=models.CASCADE, related_name="nodes", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    bus = models.CharField(max_length=120)
    export_kw = models.FloatField("export (kW)")
    export_binds = models.CharField("what binds export", max_length=8, choices=Binds.choices, blank=True)
    export_element = models.CharField("element that binds export", max_length=150, blank=True)
    import_kw = models.FloatField("import (kW)")
    import_binds = models.CharField("what binds import", max_length=8, choices=Binds.choices, blank=True)
    import_element = models.CharField("element that binds import", max_length=150, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "node that hosts"
        verbose_name_plural = "nodes that host"
        constraints = [models.UniqueConstraint(fields=["map", "bus"], name="hosting_node_once")]
        indexes = [models.Index(fields=["edc", "-id"], name="hosting_node_by_utility")]

    def __str__(self) -> str:
        return self.bus
