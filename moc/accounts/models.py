"""Invitations, admission of new aggregators, four eyes for administrators, sign-in with an organisation's provider, failed sign-ins."""

import secrets
import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from moc.access.models import Membership, Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition

PERSON = {"to": settings.AUTH_USER_MODEL, "on_delete": models.PROTECT, "null": True, "blank": True}


class Invitation(models.Model):
    """An offer of roles in an organisation to whoever reads an e-mail address: good once, for some days, until it is revoked."""

    access_paths = ("organization",)

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        REVOKED = "revoked", "Revoked"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField()
    name = models.CharField(max_length=120)
    roles = ArrayField(models.CharField(max_length=15, choices=Membership.Role.choices))
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(related_name="invitations_made", **PERSON)
    expires_at = models.DateTimeField()
    accepted_by = models.ForeignKey(related_name="invitations_accepted", **PERSON)

    objects = ScopedQuerySet.as_manager()
    history = Versions(excluded_fields=["digest"])
    lifecycle = Lifecycle(
        Transition("accept", (Status.OPEN,), Status.ACCEPTED, None),
        Transition("revoke", (Status.OPEN,), Status.REVOKED, "manage_members"),
        initial=(Status.OPEN,),
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                "organization", Lower("email"), condition=Q(status="open"), name="invitation_one_open", violation_error_code="INVITED"
            ),
            models.CheckConstraint(
                condition=Q(status="accepted", accepted_by__isnull=False) | ~Q(status="accepted"), name="invitation_accepted_by_somebody"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.organization}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()


class AdministratorGrant(models.Model):
    """The proposal to make a member administrator of an organisation: effective once a second person has confirmed it."""

    access_paths = ("organization", "OPERATOR")

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        EFFECTIVE = "effective", "Effective"
        REJECTED = "rejected", "Rejected"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="administrator_grants")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="administrator_grants")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="administrator_grants_proposed")
    proposed_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(related_name="administrator_grants_decided", **PERSON)

    objects = ScopedQuerySet.as_manager()
    history = Versions()
    lifecycle = Lifecycle(
        Transition("confirm", (Status.PROPOSED,), Status.EFFECTIVE, "manage_members", sensitive=True),
        Transition("reject", (Status.PROPOSED,), Status.REJECTED, "manage_members", needs_reason=True),
        initial=(Status.PROPOSED,),
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "member"], condition=Q(status="proposed"), name="administrator_grant_one_open"),
            models.CheckConstraint(
                condition=~Q(status="effective") | Q(decided_by__isnull=False), name="administrator_grant_confirmed_by_somebody"
            ),
            models.CheckConstraint(
                condition=~Q(status="effective") | ~Q(decided_by=F("proposed_by")), name="administrator_grant_four_eyes"
            ),
            models.CheckConstraint(
                condition=~Q(status="effective") | ~Q(decided_by=F("member")), name="administrator_grant_not_by_oneself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member} as administrator of {self.organization}"


class Admission(models.Model):
    """The wish of a new aggregator to take part; until it is admitted its organisation is inactive and has no rights."""

    access_paths = ("SELF", "organization", "rerra", "OPERATOR")

    class Status(models.TextChoices):
        PENDING = "pending", "Waits for admission"
        ADMITTED = "admitted", "Admitted"
        REFUSED = "refused", "Refused"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="admission")
    rerra = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="admissions", verbose_name="regulator")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="admissions", verbose_name="applicant")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    terms_version = models.CharField(max_length=20)
    applied_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(related_name="admissions_decided", **PERSON)

    objects = ScopedQuerySet.as_manager()
    history = Versions()
    lifecycle = Lifecycle(
        Transition("admit", (Status.PENDING,), Status.ADMITTED, "admit_aggregators", sensitive=True),
        Transition("refuse", (Status.PENDING,), Status.REFUSED, "admit_aggregators", needs_reason=True, danger=True, sensitive=True),
        initial=(Status.PENDING,),
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status="pending") | Q(decided_by__isnull=False), name="admission_decided_by_somebody"),
            models.CheckConstraint(condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("user")), name="admission_not_by_oneself"),
        ]

    def __str__(self) -> str:
        return f"Admission of {self.organization}"


def new_token() -> str:
    """What a domain's owner publishes to prove the domain."""
    return secrets.token_urlsafe(24)


class SignInProvider(models.Model):
    """An organisation's own OpenID Connect provider: its members sign in there, with roles by its claims.

    `key` names the provider in addresses and changes with the issuer, because a subject means something only at its issuer. `secret` is
    sealed (moc.sealed). `role_map` says which value of the claim `role_claim` gives which role.
    """

    access_paths = ("organization",)

    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="sign_in_provider")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    issuer = models.URLField(max_length=300)
    client_id = models.CharField(max_length=200)
    secret = models.TextField(editable=False)
    role_claim = models.CharField(max_length=80, default="roles")
    role_map = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions(excluded_fields=["secret"])

    class Meta:
        verbose_name = "sign-in provider"
        constraints = [models.CheckConstraint(condition=Q(issuer__startswith="https://"), name="sign_in_provider_https")]

    def __str__(self) -> str:
        return f"{self.organization}'s sign-in"


class SignInDomain(models.Model):
    """An e-mail domain whose people sign in with an organisation's provider, once the domain is proven; proven by one organisation only."""

    access_paths = ("provider__organization", "OPERATOR")

    class Status(models.TextChoices):
        PENDING = "pending", "Not proven yet"
        VERIFIED = "verified", "Proven"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    provider = models.ForeignKey(SignInProvider, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=253)
    token = models.CharField(max_length=64, default=new_token, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)

    objects = ScopedQuerySet.as_manager()
    history = Versions(excluded_fields=["token"])
    lifecycle = Lifecycle(
        Transition("verify", (Status.PENDING,), Status.VERIFIED, "administer", label="Confirm the domain"),
        Transition("prove", (Status.PENDING,), Status.VERIFIED, None),
        Transition("doubt", (Status.VERIFIED,), Status.PENDING, "administer", needs_reason=True, danger=True),
        initial=(Status.PENDING,),
    )

    class Meta:
        ordering = ["domain"]
        verbose_name = "sign-in domain"
        constraints = [
            models.UniqueConstraint(fields=["provider", "domain"], name="sign_in_domain_once"),
            models.UniqueConstraint(fields=["domain"], condition=Q(status="verified"), name="sign_in_domain_of_one"),
            models.CheckConstraint(condition=Q(domain=Lower("domain")), name="sign_in_domain_lower"),
        ]

    def __str__(self) -> str:
        return self.domain


class SignInFailures(models.Model):
    """How often in a row signing in to an account failed; not recorded: a hundred failures lock the account, one success clears them."""

    access_paths = ("SELF", "OPERATOR")

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_in_failures")
    count = models.PositiveIntegerField(default=0)
    locked_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "failed sign-ins"

    def __str__(self) -> str:
        return f"{self.count} failed sign-ins of {self.user}"
