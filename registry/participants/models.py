"""What the registry knows of its participants beyond access: identifiers, contacts, utility facts, and owners (personal data)."""

from django.db import models

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.units import MagnitudeField


class UtilityProfile(models.Model):
    """A distribution utility as EIA-861 and the markets know it."""

    access_paths = ("PUBLIC", "edc")

    class Ownership(models.TextChoices):
        INVESTOR = "investor_owned", "Investor owned"
        MUNICIPAL = "municipal", "Municipal"
        COOPERATIVE = "cooperative", "Cooperative"
        OTHER = "other", "Other"

    edc = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="utility")
    eia_id = models.PositiveIntegerField("EIA utility id", unique=True)
    ownership = models.CharField(max_length=15, choices=Ownership.choices)
    nerc_region = models.CharField("NERC region", max_length=8, blank=True)
    balancing_authority = models.CharField("balancing authority code", max_length=8, help_text="EIA code, such as PJM or NYIS")
    tso = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="transmits_for", verbose_name="transmission operator"
    )
    annual_mwh = MagnitudeField("annual sales (MWh)", null=True, blank=True, help_text="retail sales of the year")
    annual_mwh_year = models.PositiveSmallIntegerField("year of the sales", null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["eia_id"]

    def __str__(self) -> str:
        return f"{self.edc} (EIA {self.eia_id})"


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


class Contact(models.Model):
    """Whom to call at an organisation, by purpose. Personal data."""

    access_paths = ("organization",)
    personal_columns = ("name", "email", "phone")

    class Purpose(models.TextChoices):
        REGISTRY = "registry", "Registry"
        MARKET = "market", "Market"
        OPERATIONS = "operations", "Operations, 24/7"
        CYBER = "cyber", "Cyber security"
        BILLING = "billing", "Billing"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="contacts")
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    def __str__(self) -> str:
        return f"{self.name} ({self.get_purpose_display()}, {self.organization})"


class OwnerFacts(models.Model):
    """Personal columns of a filing: who owns the DER and under which utility account."""

    personal_columns = ("edc_account_no", "owner_name", "owner_email", "owner_phone")

    edc_account_no = models.CharField("utility account number", max_length=40)
    owner_name = models.CharField("owner's name", max_length=120, blank=True)
    owner_email = models.EmailField("owner's e-mail", blank=True)
    owner_phone = models.CharField("owner's telephone", max_length=40, blank=True)

    class Meta:
        abstract = True


class DerOwner(OwnerFacts):
    """The customer behind DERs, as one aggregator filed them with one utility. Personal data: never joined into lists."""

    access_paths = ("aggregator", "edc")

    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "DER owner"
        constraints = [models.UniqueConstraint(fields=["aggregator", "edc", "edc_account_no"], name="owner_once")]

    def __str__(self) -> str:
        return f"Owner {self.pk}"
