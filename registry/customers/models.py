"""An owner's account, and what owners keep of their DERs for themselves."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from registry.customers.queries import PersonalUseQuerySet
from registry.ders.models import Der
from registry.participants.models import DerOwner

WEEKDAYS = ((1, "Monday"), (2, "Tuesday"), (3, "Wednesday"), (4, "Thursday"), (5, "Friday"), (6, "Saturday"), (7, "Sunday"))


class OwnerAccount(models.Model):
    """A user is the customer behind an owner's record: proven by a link sent to the address on that record."""

    access_paths = ("SELF", "edc")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned")
    owner = models.ForeignKey(DerOwner, on_delete=models.PROTECT, related_name="accounts")
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility")
    opened_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "owner"], name="owner_account_once")]

    def __str__(self) -> str:
        return f"Account of {self.owner}"


class PersonalUse(models.Model):
    """What the owner keeps of a DER: a reserve of its energy, hours of a week, or an event that it stays out of.

    Readiness, offers and dispatch respect it. Hours are local; `until_time` before `from_time` is of the next day.
    """

    access_paths = ("der__aggregator", "edc")

    class Kind(models.TextChoices):
        RESERVE = "reserve", "Reserve"
        BLACKOUT = "blackout", "Blackout hours"
        OPT_OUT = "opt_out", "Opt-out of an event"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    der = models.ForeignKey(Der, on_delete=models.PROTECT, related_name="personal_use")
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reserve_percent = models.DecimalField("reserve (%)", max_digits=5, decimal_places=2, null=True, blank=True)
    weekdays = ArrayField(models.PositiveSmallIntegerField(choices=WEEKDAYS), default=list, blank=True)
    from_time = models.TimeField("from", null=True, blank=True)
    until_time = models.TimeField("until", null=True, blank=True)
    starts_at = models.DateTimeField("event begins", null=True, blank=True)
    ends_at = models.DateTimeField("event ends", null=True, blank=True)
    stated_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    stated_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField("taken back", null=True, blank=True)

    objects = PersonalUseQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        verbose_name = "personal use"
        verbose_name_plural = "personal uses"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["der"], condition=Q(kind="reserve", ended_at=None), name="one_reserve"),
            models.CheckConstraint(
                name="personal_use_of_its_kind",
                condition=Q(kind="reserve", reserve_percent__isnull=False, reserve_percent__gt=0, reserve_percent__lte=100)
                | (Q(kind="blackout", from_time__isnull=False, until_time__isnull=False) & ~Q(weekdays=[]) & ~Q(from_time=F("until_time")))
                | Q(kind="opt_out", starts_at__isnull=False, ends_at__isnull=False, ends_at__gt=F("starts_at")),
                violation_error_message="Give what belongs to the kind: a percentage, weekdays with hours, or a period.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.der}"
