"""What organisations were told, the addresses of their systems, and each delivery to one of those."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition

PERMISSION = "manage_members"


class Event(models.Model):
    """One effective change that an organisation was told of. Not recorded: no person changes it."""

    access_paths = ("organization",)

    uuid = models.UUIDField("event id", default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, help_text="who was told")
    kind = models.SlugField(max_length=60, db_index=False)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    url = models.CharField("page", max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "-id"], name="event_by_organization")]

    def __str__(self) -> str:
        return self.subject


class Webhook(models.Model):
    """An address of an organisation's system to which events are sent. `secret` is sealed (moc.sealed) and signs every delivery.

    `events` are the kinds that are sent; empty: all of them.
    """

    access_paths = ("organization",)

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        ENDED = "ended", "Ended"

    lifecycle = Lifecycle(
        Transition("pause", (Status.ACTIVE,), Status.PAUSED, PERMISSION),
        Transition("give_up", (Status.ACTIVE,), Status.PAUSED, None),
        Transition("resume", (Status.PAUSED,), Status.ACTIVE, PERMISSION),
        Transition("end", (Status.ACTIVE, Status.PAUSED), Status.ENDED, PERMISSION, danger=True),
        initial=(Status.ACTIVE,),
    )

    uuid = models.UUIDField("webhook id", default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="webhooks")
    name = models.CharField(max_length=80)
    address = models.URLField(max_length=500)
    events = ArrayField(models.SlugField(max_length=60), default=list, blank=True)
    secret = models.TextField(editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()
    history = Versions(excluded_fields=["secret"])

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One event for one webhook: what came of it, and when it is tried again. Not recorded: it is a fact of operation."""

    access_paths = ("webhook__organization",)

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    uuid = models.UUIDField("delivery id", default=uuid.uuid4, unique=True, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="deliveries")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField("next attempt", default=timezone.now)
    tried_at = models.DateTimeField("last attempt", null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True, help_text="the HTTP status, or why there was none")
    created_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["webhook", "event"], name="delivery_once")]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="delivery_by_webhook"),
            models.Index(fields=["due_at"], condition=Q(status="waiting"), name="delivery_outbox"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook}"
