"""What the registry knows of its participants beyond access: identifiers, contacts, utility facts, and owners (personal data)."""

import uuid

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.access.visibility import FieldGroup
from moc.documents.models import Document
from moc.history import Versions
from moc.intervals import TODAY
from moc.lifecycle import Lifecycle, Transition
from moc.units import MagnitudeField
from moc.vault.models import DataKey, SealedFacts
from registry.participants.queries import ConsentQuerySet, DatedQuerySet


def any_day() -> DateRange:
    """Days without a bound."""
    return DateRange(None, None)


class UtilityFacts(models.Model):
    """What a utility's profile says that holds on some days."""

    class Ownership(models.TextChoices):
        INVESTOR = "investor_owned", "Investor owned"
        MUNICIPAL = "municipal", "Municipal"
        COOPERATIVE = "cooperative", "Cooperative"
        OTHER = "other", "Other"

    ownership = models.CharField(max_length=15, choices=Ownership.choices)
    nerc_region = models.CharField("NERC region", max_length=8, blank=True)
    balancing_authority = models.CharField("balancing authority code", max_length=8, help_text="EIA code, such as PJM or NYIS")
    tso = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name="transmission operator"
    )

    class Meta:
        abstract = True


UTILITY_FACTS = tuple(field.name for field in UtilityFacts._meta.fields)


class UtilityProfile(UtilityFacts):
    """A distribution utility as EIA-861 and the markets know it today. Other days: UtilityPeriod; sales of each year: AnnualSales."""

    access_paths = ("PUBLIC", "edc")

    edc = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="utility")
    eia_id = models.PositiveIntegerField("EIA utility id", unique=True)
    annual_mwh = MagnitudeField("annual sales (MWh)", null=True, blank=True, help_text="retail sales of the year")
    annual_mwh_year = models.PositiveSmallIntegerField("year of the sales", null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        ordering = ["eia_id"]

    def __str__(self) -> str:
        return f"{self.edc} (EIA {self.eia_id})"


class UtilityPeriod(UtilityFacts):
    """A utility's profile on some days, from the first change of it on; those of today are the profile's own columns too."""

    access_paths = ("PUBLIC", "edc")

    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="utility_periods", verbose_name="utility")
    valid_during = DateRangeField("days", help_text="half open")

    objects = DatedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["edc", "valid_during"]
        constraints = [
            ExclusionConstraint(
                name="one_profile_a_day", expressions=[("edc", RangeOperators.EQUAL), ("valid_during", RangeOperators.OVERLAPS)]
            )
        ]

    def __str__(self) -> str:
        return f"{self.edc}, {self.valid_during}"


class OrganizationIdentifier(models.Model):
    """A public identifier of an organisation in some scheme."""

    access_paths = ("PUBLIC", "organization")

    class Scheme(models.TextChoices):
        LEI = "lei", "Legal Entity Identifier"
        DUNS = "duns", "D-U-N-S"
        NERC = "nerc", "NERC compliance registry"
        STATE = "state", "State licence"
        RTO = "rto", "RTO member id"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="identifiers")
    scheme = models.CharField(max_length=8, choices=Scheme.choices)
    value = models.CharField(max_length=60)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scheme", "value"], name="identifier_once")]

    def __str__(self) -> str:
        return f"{self.get_scheme_display()} {self.value}"


# what the personal columns are, though no table has them: forms, files and the dictionary ask here
CONTACT_FIELDS: dict[str, models.Field] = {
    "name": models.CharField(max_length=120),
    "email": models.EmailField(blank=True),
    "phone": models.CharField(max_length=40, blank=True),
}
OWNER_FIELDS: dict[str, models.Field] = {
    "edc_account_no": models.CharField("utility account number", max_length=40),
    "owner_name": models.CharField("owner's name", max_length=120, blank=True),
    "owner_email": models.EmailField("owner's e-mail", blank=True),
    "owner_phone": models.CharField("owner's telephone", max_length=40, blank=True),
}


# who has to do with an organisation calls its contacts of the day: through filings and notices of intent, through membership of an RTO,
# through registration and through oversight
CALLERS = (
    "organization__reviews__aggregator",
    "organization__reviewed__edc",
    "organization__intents_received__aggregator",
    "organization__intents__edc",
    "organization__members__aggregator",
    "organization__rto_memberships__tso",
    "organization__registrations__aggregator",
    "organization__oversees__overseen",
)


class Contact(SealedFacts):
    """Whom to call at an organisation, by purpose: name, e-mail and telephone are sealed under the organisation's data key."""

    access_paths = ("organization", "organization__registration__rerra", *CALLERS)  # a regulator calls the aggregators that it registers
    access_conditions = dict.fromkeys(CALLERS, Q(valid_during__contains=TODAY))
    only_shown = CALLERS
    personal = tuple(CONTACT_FIELDS)

    class Purpose(models.TextChoices):
        REGISTRY = "registry", "Registry"
        MARKET = "market", "Market"
        OPERATIONS = "operations", "Operations, 24/7"
        CYBER = "cyber", "Cyber security"
        BILLING = "billing", "Billing"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="contacts")
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    valid_during = DateRangeField("days", default=any_day, help_text="half open")

    objects = DatedQuerySet.as_manager()
    history = Versions()

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} contact of {self.organization}"

    def about(self) -> bytes:
        """What the ciphertext is bound to, beside its key."""
        return f"contact:{self.organization_id}".encode()

    @property
    def holder_id(self) -> int:
        """Whose data key seals it."""
        return self.organization_id

    filed_by_id = None


# an owner's values are sealed as one: without the sealed text there is nothing to open, nor to tell which of them were given
OWNER_GROUPS = (FieldGroup("owners", "personal", "Name, account and how to reach the owner", SealedFacts.sealing, ("edc",)),)


class OwnerFacts(SealedFacts):
    """Who owns a DER and under which utility account, sealed under the utility's data key; a filing that names no utility yet, under the
    aggregator's.

    `account_index` is a keyed blind index for equality, `digest` one of the whole, which tells whether anything differs;
    `data_key` made them. They are not kept in history.
    """

    BLIND = ("data_key", "account_index", "digest")
    personal = tuple(OWNER_FIELDS)
    sealing = (*SealedFacts.sealing, *BLIND)

    data_key = models.ForeignKey(
        DataKey, null=True, editable=False, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    account_index = models.BinaryField(null=True)
    digest = models.BinaryField(null=True)

    class Meta:
        abstract = True


class DerOwner(OwnerFacts):
    """The customer behind DERs, as one aggregator filed them with one utility. Personal data: never joined into lists."""

    access_paths = ("aggregator", "edc")
    field_groups, hidden_by = OWNER_GROUPS, "edc"

    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    erased_at = models.DateTimeField(null=True, blank=True, help_text="since then nobody can tell who this was")
    idle_since = models.DateField(null=True, editable=False, help_text="no DER of the owner's is registered from this day on")

    objects = ScopedQuerySet.as_manager()
    history = Versions(excluded_fields=[*OwnerFacts.BLIND, "idle_since"])

    class Meta:
        verbose_name = "DER owner"
        constraints = [models.UniqueConstraint(fields=["aggregator", "edc", "account_index"], name="owner_once")]
        indexes = [
            models.Index(fields=["edc", "account_index"], name="owner_by_account"),
            models.Index(fields=["edc", "idle_since"], name="owner_idle", condition=Q(idle_since__isnull=False, erased_at=None)),
        ]

    def __str__(self) -> str:
        return f"Owner {self.pk}"

    def about(self) -> bytes:
        """What the ciphertext is bound to, beside its key."""
        return about_owner(self.aggregator_id, self.edc_id)

    @property
    def holder_id(self) -> int:
        """Whose data key seals it."""
        return self.edc_id

    @property
    def filed_by_id(self) -> int:
        """The aggregator."""
        return self.aggregator_id


def about_owner(aggregator: int, holder: int) -> bytes:
    return f"owner:{aggregator}:{holder}".encode()


class Consent(models.Model):
    """An owner lets an aggregator see or use what is the owner's: which things, what for, until when. What has ended bars it."""

    access_paths = ("aggregator", "edc")

    class Scope(models.TextChoices):
        CONTACT = "contact", "See my name, account and how to reach me"
        USAGE = "usage", "See my meter data"
        MARKET = "market", "Offer my DERs in markets"
        CONTROL = "control", "Control my DERs"
        SWITCH = "switch", "Take my DERs over from my present aggregator"

    class Status(models.TextChoices):
        IN_FORCE = "in_force", "In force"
        REVOKED = "revoked", "Revoked"

    lifecycle = Lifecycle(
        Transition("revoke", (Status.IN_FORCE,), Status.REVOKED, "file_ders", needs_reason=True, danger=True), initial=(Status.IN_FORCE,)
    )

    uuid = models.UUIDField("consent id", default=uuid.uuid4, unique=True, editable=False)
    owner = models.ForeignKey(DerOwner, on_delete=models.PROTECT, related_name="consents")
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="consents")
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility")
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope.choices))
    purpose = models.CharField(max_length=200)
    granted_on = models.DateField(default=timezone.localdate)
    expires_on = models.DateField("until", null=True, blank=True, help_text="the last day; empty: until it is revoked")
    evidence = models.ForeignKey(Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    by_owner = models.BooleanField("given by the owner here", default=False)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.IN_FORCE)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ConsentQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["aggregator", "owner"], name="consent_by_aggregator")]
        constraints = [
            models.CheckConstraint(name="consent_to_something", condition=~Q(scopes=[])),
            models.CheckConstraint(name="consent_shown", condition=Q(by_owner=True) | Q(evidence__isnull=False)),
        ]

    @property
    def words(self) -> list[str]:
        """What may be done, in the owner's words."""
        return [self.Scope(scope).label for scope in self.scopes]

    def __str__(self) -> str:
        return f"Consent to {self.aggregator} of {self.granted_on}"
