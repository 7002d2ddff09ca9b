"""A notice of intent and its points: what the aggregator states, and what the utility answers (pre-registration)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition
from moc.units import MagnitudeField
from moc.vault.models import DataKey
from registry.grid.models import ServicePoint
from registry.intents.queries import PointQuerySet

PARTIES = ("aggregator", "edc")


class IntentNotice(models.Model):
    """DERs that an aggregator is going to file with a utility. Whose turn it is says the status; `due_at` is that party's clock."""

    access_paths = PARTIES

    class Status(models.TextChoices):
        SENT = "sent", "With the utility"
        ANSWERED = "answered", "With the aggregator"
        SETTLED = "settled", "Settled"
        WITHDRAWN = "withdrawn", "Withdrawn"
        LAPSED = "lapsed", "Ended without an answer"

    lifecycle = Lifecycle(
        Transition("answer", (Status.SENT,), Status.ANSWERED, "review_ders"),
        Transition("settle", (Status.SENT,), Status.SETTLED, None),
        Transition("correct", (Status.ANSWERED,), Status.SENT, "file_ders"),
        Transition("withdraw", (Status.SENT, Status.ANSWERED), Status.WITHDRAWN, "file_ders", needs_reason=True, danger=True),
        Transition("lapse", (Status.SENT, Status.ANSWERED), Status.LAPSED, None),
        initial=(Status.SENT,),
    )

    uuid = models.UUIDField("notice id", default=uuid.uuid4, unique=True, editable=False)
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="intents", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="intents_received", db_index=False, verbose_name="utility")
    title = models.CharField(max_length=120)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SENT)
    row_count = models.PositiveIntegerField("DERs")
    due_at = models.DateTimeField("to be answered by")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField("sent", default=timezone.now)
    settled_at = models.DateTimeField("settled", null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "notice of intent"
        verbose_name_plural = "notices of intent"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["aggregator", "-id"], name="intent_by_aggregator"),
            models.Index(fields=["edc", "-id"], name="intent_by_edc"),
        ]

    def __str__(self) -> str:
        return self.title


class IntentPoint(models.Model):
    """One DER of a notice. It is settled when the utility has named its service point, and both know the same account.

    Neither party's account number is kept: only its blind index under the utility's data key, which tells whether both are equal.
    """

    access_paths = PARTIES
    sealing = ("account_index", "data_key")

    class Status(models.TextChoices):
        OPEN = "open", "Not answered"
        SETTLED = "settled", "Settled"
        DIFFERS = "differs", "Differs"

    lifecycle = Lifecycle(
        Transition("settle", (Status.OPEN,), Status.SETTLED, None),
        Transition("differ", (Status.OPEN,), Status.DIFFERS, None),
        Transition("correct", (Status.DIFFERS,), Status.OPEN, None),
        initial=(Status.OPEN,),
    )

    notice = models.ForeignKey(IntentNotice, on_delete=models.PROTECT, related_name="points", db_index=False)
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="utility")
    reference = models.CharField("aggregator's id", max_length=64)
    der_type = models.CharField("technology", max_length=30)
    nameplate_ac_kw = MagnitudeField("nameplate AC (kW)")
    usage_point_id = models.CharField("service point as stated", max_length=40, blank=True)
    premise_address = models.CharField("address", max_length=200, blank=True)
    account_index = models.BinaryField(editable=False)
    data_key = models.ForeignKey(DataKey, editable=False, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    service_point = models.ForeignKey(ServicePoint, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    remark = models.CharField("the utility says", max_length=300, blank=True)

    objects = PointQuerySet.as_manager()
    history = Versions(excluded_fields=["account_index"])

    class Meta:
        verbose_name = "point of a notice of intent"
        verbose_name_plural = "points of notices of intent"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["notice", "reference"], name="intent_point_once"),
            models.CheckConstraint(
                name="settled_point_has_place",
                condition=~Q(status="settled") | Q(service_point__isnull=False),
                violation_error_message="A settled point has its service point.",
            ),
        ]

    def __str__(self) -> str:
        return self.reference
