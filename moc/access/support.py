"""Support access: an organisation lets staff of the platform's operator see its records, or act for it, for a limited time."""

import uuid
from datetime import timedelta

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from moc import sight
from moc.access.models import Membership, Organization, User
from moc.access.queries import ScopedQuerySet
from moc.history import Appended, Refuse, Versions

LONGEST = timedelta(days=31)  # by constraint; the rule set "support-grant-days" says less


class SupportGrantQuerySet(ScopedQuerySet):
    """Grants by what they still give."""

    def live(self) -> "SupportGrantQuerySet":
        """Neither ended nor revoked, of organisations that are active."""
        return self.filter(revoked_at=None, until__gt=timezone.now(), organization__is_active=True)

    def given_to(self, user) -> "SupportGrantQuerySet":
        """Live grants to the user: by name, or to all staff of an operator that the user is a member of."""
        seats = Membership.objects.filter(user=user, is_active=True, organization__is_active=True).values("organization")
        return self.live().filter(Q(staff=None) | Q(staff=user.pk), operator__in=seats)


class SupportGrant(models.Model):
    """An organisation's word that the operator's staff, or one of them, may see its records or act for it until a moment."""

    access_paths = ("organization", "operator")

    class Scope(models.TextChoices):
        VIEW = "view", "See"
        ACT = "act", "See and act"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="support_grants")
    operator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="support_received")
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="empty: all its staff"
    )
    scope = models.CharField(max_length=4, choices=Scope.choices, default=Scope.VIEW)
    reason = models.CharField(max_length=200)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = SupportGrantQuerySet.as_manager()
    history = Versions()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("granted_at")), name="supportgrant_ends_later"),
            models.CheckConstraint(condition=Q(until__lte=F("granted_at") + LONGEST), name="supportgrant_not_for_long"),
            models.CheckConstraint(condition=~Q(organization=F("operator")), name="supportgrant_to_another"),
            models.CheckConstraint(condition=~Q(reason=""), name="supportgrant_has_reason"),
            models.CheckConstraint(condition=Q(revoked_at=None) | Q(revoked_at__gte=F("granted_at")), name="supportgrant_revoked_later"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}: {self.staff or self.operator} for {self.organization}"

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.until > timezone.now()

    def signed(self, user: User, reason: str) -> str:
        """The reason with whom the staff acted for; the act is listed for the organisation, in the same transaction."""
        SupportAct.objects.bulk_create([SupportAct(grant=self, user=user, reason=reason[:300])], ignore_conflicts=True)
        return f"{user} (platform staff) for {self.organization}: {reason}"


class Sealed(Refuse):
    """What staff did stays written."""

    because = "what was done under a grant is never lost"


class SupportAct(Appended):
    """Something that staff did under a grant: one row for each reason and transaction, written by history.acting."""

    access_paths = ("grant__organization", "grant__operator")

    grant = models.ForeignKey(SupportGrant, on_delete=models.PROTECT, related_name="acts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=300)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["grant", "user", "transaction_id", "reason"], name="supportact_once")]
        triggers = [
            Sealed(name="sealed_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Sealed(name="sealed_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.reason}"


@sight.engine()  # asked before the user's sight is known, for it depends on the answer
def grant_of(user: User, pk: int | str) -> SupportGrant | None:
    """The grant, if it is live and given to this user now."""
    return SupportGrant.objects.given_to(user).select_related("organization").filter(pk=pk).first()
