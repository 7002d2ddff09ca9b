"""Users, organisations, memberships, oversight and API tokens."""

import hashlib
import secrets
import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from guardian.models.models import BaseObjectPermission, UserObjectPermissionBase

from moc.access.queries import ScopedQuerySet
from moc.access.roles import PERMISSIONS
from moc.history import Versions


class UserManager(BaseUserManager):
    """Users are known by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields):
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, email: str):
        return self.get(email__iexact=email)


class User(AbstractBaseUser):
    """A person or a machine that signs in. Users are deactivated, never deleted: history names them."""

    access_paths = ("SELF", "OPERATOR")
    second_line = "OPEN"  # sign-in must find a user before anybody is known, and actors' names stand beside what they did

    class Kind(models.TextChoices):
        PERSON = "person", "Person"
        MACHINE = "machine", "Machine client"

    uuid = models.UUIDField(default=uuid.uuid4, editable=False, db_default=RandomUUID())
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PERSON)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = UserManager()
    history = Versions(excluded_fields=["last_login", "password", "uuid"])

    # what came with this request, not with the account: a token's digest and scopes; the grant under which staff act for an organisation
    token: str = ""
    scopes: frozenset[str] | None = None
    support = None

    is_staff = is_superuser = False  # the admin workplace asks policy.py, and nobody stands above it

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
            models.UniqueConstraint(fields=["uuid"], name="user_uuid"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def signed(self, reason: str) -> str:
        """The reason that history keeps of what this user does: it says for whom staff acted (called by history.acting)."""
        return reason if self.support is None else self.support.signed(self, reason)


class Organization(models.Model):
    """A party: aggregator, distribution utility (EDC), transmission operator (TSO: RTO or ISO), regulator (RERRA) or platform operator."""

    access_paths = ("id", "OPERATOR")
    second_line = "SIGNED_IN"  # parties are named wherever they act

    class Kind(models.TextChoices):
        AGGREGATOR = "aggregator", "Aggregator"
        EDC = "edc", "Distribution utility"
        TSO = "tso", "Transmission operator"
        RERRA = "rerra", "Retail regulator"
        OPERATOR = "operator", "Platform operator"

    kind = models.CharField(max_length=12, choices=Kind.choices)
    name = models.CharField(max_length=120)
    legal_name = models.CharField(max_length=200, blank=True)
    slug = models.SlugField(unique=True)
    is_active = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="organization_name_any_case")]
        permissions = [(name, f"Can {sentence}") for name, sentence in PERMISSIONS.items()]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A user's role in an organisation."""

    access_paths = ("organization", "OPERATOR")

    class Role(models.TextChoices):
        VIEWER = "viewer", "Viewer"
        FILER = "filer", "Filer"
        REVIEWER = "reviewer", "Reviewer"
        APPROVER = "approver", "Approver"
        AUDITOR = "auditor", "Auditor"
        ADMINISTRATOR = "administrator", "Administrator"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=15, choices=Role.choices)
    is_active = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "organization", "role"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} of {self.organization}"


class Oversight(models.Model):
    """An overseeing organisation (RERRA, TSO) and one that it oversees: its rights reach that organisation's records."""

    access_paths = ("overseer", "overseen", "OPERATOR")

    overseer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="oversees")
    overseen = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="overseen_by")

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name_plural = "oversight"
        constraints = [
            models.UniqueConstraint(fields=["overseer", "overseen"], name="oversight_once"),
            models.CheckConstraint(condition=~Q(overseer=models.F("overseen")), name="oversight_of_another"),
        ]

    def __str__(self) -> str:
        return f"{self.overseer} oversees {self.overseen}"


class OrganizationUserObjectPermission(UserObjectPermissionBase):
    """guardian's grants across organisations (an auditor's exception), one row per user, permission and organisation."""

    access_paths = ("content_object", "OPERATOR")

    content_object = models.ForeignKey(Organization, on_delete=models.CASCADE)

    history = Versions()

    class Meta(UserObjectPermissionBase.Meta):
        verbose_name = "grant across organisations"
        verbose_name_plural = "grants across organisations"


class OrganizationObjectPermission(BaseObjectPermission):
    """guardian's permission on one record, held by an organisation: its members have it as their roles there let them.

    A subclass names the record as `content_object`, and the record's model an access path through the row. The row is the right:
    where the right ends, the row goes, and its history stays.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="granted to")

    class Meta:
        abstract = True
        unique_together = ["content_object", "permission", "organization"]


class ApiToken(models.Model):
    """A bearer token of a user for the API; only its digest is kept, and it is shown once."""

    access_paths = ("SELF", "OPERATOR")

    uuid = models.UUIDField(default=uuid.uuid4, editable=False, db_default=RandomUUID())
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"
        constraints = [models.UniqueConstraint(fields=["uuid"], name="api_token_uuid")]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"

    @staticmethod
    def digest_of(secret: str) -> str:
        return hashlib.sha256(secret.encode()).hexdigest()

    @classmethod
    def issue(cls, user: User, name: str) -> tuple["ApiToken", str]:
        """A new token and its secret, which is not kept."""
        secret = f"moc_{secrets.token_urlsafe(32)}"
        return cls.objects.create(user=user, name=name, digest=cls.digest_of(secret)), secret
