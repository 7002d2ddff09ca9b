"""Switches of aggregator: what a party identified by look-up before it files, and the former aggregator's objection window (N12, ¶336)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition
from moc.units import counted
from registry.ders.models import Der
from registry.submissions.models import Submission, UtilityReview


class LookUp(models.Model):
    """Somebody asked by two facts for DERs of another party; `ders` are those that were identified, none where a fact was wrong."""

    access_paths = ("aggregator",)

    uuid = models.UUIDField("look-up id", default=uuid.uuid4, unique=True, editable=False)
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="asked by")
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility", db_index=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    ders = models.JSONField(default=list, help_text="ids and technologies of what was identified")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "look-up"

    def __str__(self) -> str:
        return f"Look-up of {timezone.localtime(self.at):%Y-%m-%d %H:%M}"


class SwitchNotice(models.Model):
    """The former aggregator is told that a customer switches, and may object until a day; the utility decides either way."""

    access_paths = ("former", "aggregator", "edc")

    class Status(models.TextChoices):
        OPEN = "open", "Waits for the former aggregator"
        AGREED = "agreed", "Agreed"
        OBJECTED = "objected", "Objected"
        SILENT = "silent", "Did not answer in time"

    class Ground(models.TextChoices):
        """The closed list: an aggregator may not keep a customer for reasons of its own."""

        NOT_AUTHORISED = "not_authorised", "The customer has not authorised it"
        WRONG_DER = "wrong_der", "Another DER is meant"
        DISPATCHED = "committed", "The DER is committed in a market until a later day"

    lifecycle = Lifecycle(
        Transition("agree", (Status.OPEN,), Status.AGREED, "file_ders"),
        Transition("object", (Status.OPEN,), Status.OBJECTED, "file_ders", needs_reason=True, danger=True),
        Transition("lapse", (Status.OPEN,), Status.SILENT, None),
        initial=(Status.OPEN,),
    )

    uuid = models.UUIDField("notice id", default=uuid.uuid4, unique=True, editable=False)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="switch_notices")
    review = models.ForeignKey(UtilityReview, on_delete=models.PROTECT, related_name="switch_notices")
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="new aggregator", db_index=False)
    former = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="former aggregator")
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    row_count = models.PositiveIntegerField("DERs")
    ders = models.JSONField(help_text="the former aggregator's own ids of them")
    starts_on = models.DateField("first day with the new aggregator")
    due_at = models.DateTimeField("objections until")
    ground = models.CharField(max_length=20, choices=Ground.choices, blank=True)
    statement = models.TextField(blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["review", "former"], name="switch_notice_once"),
            models.CheckConstraint(
                name="objection_has_ground",
                condition=~Q(status="objected") | ~Q(ground=""),
                violation_error_message="An objection has a ground of the closed list.",
            ),
        ]

    def __str__(self) -> str:
        return f"{counted(self.row_count, 'DERs')} of {self.former} to {self.aggregator}"

    @property
    def is_running(self) -> bool:
        """Whether the former aggregator may still answer."""
        return self.status == self.Status.OPEN and self.due_at > timezone.now()


def moving(submission: Submission) -> models.QuerySet[Der]:
    """The DERs that a switch is about."""
    return Der.objects.filter(pk__in=submission.rows.order_by().values("der"))
