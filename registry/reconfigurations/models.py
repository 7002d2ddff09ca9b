"""A reconfiguration of a utility's grid, and where service points were connected before it: valid time beside record time."""

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.text import capfirst

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Appended, Refuse, Versions
from moc.lifecycle import Lifecycle, Transition
from registry.grid.models import Feeder, Pnode, ServicePoint, Substation, Transformer
from registry.reconfigurations.queries import ConnectionQuerySet


def target(model: type[models.Model], label: str, name: str = "+") -> models.ForeignKey:
    return models.ForeignKey(model, null=True, blank=True, on_delete=models.PROTECT, related_name=name, verbose_name=label)


class Reconfiguration(models.Model):
    """Service points that move: those of a feeder, those of a transformer, or a list. `preview` is what was shown before the act."""

    access_paths = ("edc",)

    class Status(models.TextChoices):
        PREVIEWED = "previewed", "Previewed"
        DONE = "done", "Carried out"
        DISCARDED = "discarded", "Discarded"

    lifecycle = Lifecycle(
        Transition("carry_out", (Status.PREVIEWED,), Status.DONE, "manage_grid"),
        Transition("discard", (Status.PREVIEWED,), Status.DISCARDED, "manage_grid"),
        initial=(Status.PREVIEWED,),
    )

    uuid = models.UUIDField("reconfiguration id", default=uuid.uuid4, unique=True, editable=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility", db_index=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PREVIEWED)
    reason = models.CharField(max_length=300)
    starts_on = models.DateField("connected so from", help_text="the first day; today or before")
    from_feeder = target(Feeder, "all of feeder")
    from_transformer = target(Transformer, "all of transformer")
    usage_points = ArrayField(models.CharField(max_length=40), verbose_name="service points", default=list, blank=True)
    to_feeder = target(Feeder, "to feeder")
    to_transformer = target(Transformer, "to transformer")
    to_substation = target(Substation, "feeder fed from substation")
    preview = models.JSONField(default=dict, editable=False)
    point_count = models.PositiveIntegerField("service points moved", default=0)
    der_count = models.PositiveIntegerField("DERs at them", default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["edc", "-id"], name="reconfiguration_by_edc")]
        constraints = [
            models.CheckConstraint(
                name="reconfiguration_one_source",
                condition=Q(from_feeder__isnull=False, from_transformer=None, usage_points=[])
                | Q(from_feeder=None, from_transformer__isnull=False, usage_points=[])
                | (Q(from_feeder=None, from_transformer=None) & ~Q(usage_points=[])),
                violation_error_message="Name a feeder, a transformer, or service points, and only one of these.",
            ),
            models.CheckConstraint(
                name="reconfiguration_one_target",
                condition=Q(to_feeder__isnull=False, to_transformer=None, to_substation=None)
                | Q(to_feeder=None, to_transformer__isnull=False, to_substation=None)
                | Q(to_feeder=None, to_transformer=None, to_substation__isnull=False, from_feeder__isnull=False),
                violation_error_message="Name a feeder, a transformer, or for a whole feeder a substation, and only one of these.",
            ),
        ]

    def __str__(self) -> str:
        return capfirst(f"{self.source} to {self.target}")

    @property
    def source(self) -> str:
        """What moves, in words."""
        if self.from_feeder:
            return f"feeder {self.from_feeder}"
        return f"transformer {self.from_transformer}" if self.from_transformer else f"{len(self.usage_points):,} service points"

    @property
    def target(self) -> str:
        """Where to, in words."""
        if self.to_feeder:
            return f"feeder {self.to_feeder}"
        return f"transformer {self.to_transformer}" if self.to_transformer else f"substation {self.to_substation}"


class FormerConnection(Appended):
    """Where a service point was connected on past days, as recorded at a moment. Added by reconfigurations, never changed.

    Today's connection is the service point's own; days before the first former connection are open below.
    """

    access_paths = ("edc",)

    service_point = models.ForeignKey(
        ServicePoint, on_delete=models.PROTECT, related_name="former_connections", db_index=False, db_constraint=False
    )
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility", db_constraint=False)
    feeder = models.ForeignKey(Feeder, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    transformer = models.ForeignKey(Transformer, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    pnode = models.ForeignKey(
        Pnode, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False, verbose_name="pricing node"
    )
    valid_during = DateRangeField("days", help_text="half open")
    recorded_at = models.DateTimeField()
    reconfiguration = models.ForeignKey(
        Reconfiguration, on_delete=models.PROTECT, related_name="connections", db_index=False, db_constraint=False
    )

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["service_point", "recorded_at"], name="former_connection_of_point")]
        constraints = [models.CheckConstraint(condition=Q(valid_during__isempty=False), name="former_connection_has_days")]
        triggers = [
            Refuse(name="sealed_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Refuse(name="sealed_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return f"{self.service_point} on {self.feeder}"
