"""An aggregator as a participant: what it registers with its regulator, what it signed, and what suspends it."""

import uuid

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.documents.models import Document
from moc.history import Appended, Refuse, Versions
from moc.lifecycle import Lifecycle, Transition
from moc.rulesets.models import RuleSet
from moc.vault.models import SealedFacts
from registry.aggregators.queries import CertificationQuerySet, SuspensionQuerySet
from registry.participants.queries import DatedQuerySet

REGULATOR = "aggregator__registration__rerra"
PERSON = {"on_delete": models.PROTECT, "null": True, "blank": True, "related_name": "+"}
TAX_ID_FIELDS = {"tax_id": models.CharField("tax id", max_length=20)}
OFFICER_FIELDS = {
    "name": models.CharField(max_length=120),
    "email": models.EmailField(blank=True),
    "phone": models.CharField(max_length=40, blank=True),
}


def of_aggregator(related_name: str) -> models.ForeignKey:
    return models.ForeignKey(Organization, on_delete=models.PROTECT, related_name=related_name)


def key() -> models.UUIDField:
    return models.UUIDField(default=uuid.uuid4, unique=True, editable=False)


class AggregatorRegistration(SealedFacts):
    """An aggregator's registration with its regulator; the tax id is sealed under the aggregator's data key."""

    access_paths = ("aggregator", "rerra")
    personal = tuple(TAX_ID_FIELDS)

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Under review"
        RETURNED = "returned", "Returned"
        REGISTERED = "registered", "Registered"

    lifecycle = Lifecycle(
        Transition("submit", (Status.DRAFT, Status.RETURNED), Status.SUBMITTED, "register_aggregator", sensitive=True),
        Transition("withdraw", (Status.SUBMITTED,), Status.DRAFT, "register_aggregator", label="Take back"),
        Transition("register", (Status.SUBMITTED,), Status.REGISTERED, "admit_aggregators", sensitive=True),
        Transition("return", (Status.SUBMITTED,), Status.RETURNED, "admit_aggregators", needs_reason=True),
        initial=(Status.DRAFT,),
    )

    uuid = key()
    aggregator = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="registration")
    rerra = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="registrations", verbose_name="regulator")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    legal_form = models.CharField(max_length=60, blank=True, help_text="such as LLC or Inc.")
    formed_in = models.CharField("state of formation", max_length=2, blank=True)
    address = models.CharField("registered address", max_length=300, blank=True)
    website = models.URLField(max_length=200, blank=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, **PERSON)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, **PERSON)
    registered_on = models.DateField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "aggregator registration"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="registration_decided_by_another",
                condition=Q(decided_by__isnull=True) | Q(submitted_by__isnull=True) | ~Q(decided_by=F("submitted_by")),
            ),
            models.CheckConstraint(
                name="registration_day",
                condition=Q(status="registered", registered_on__isnull=False) | (~Q(status="registered") & Q(registered_on=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"Registration of {self.aggregator}"

    def about(self) -> bytes:
        """What the ciphertext is bound to, beside its key."""
        return f"registration:{self.aggregator_id}".encode()

    @property
    def holder_id(self) -> int:
        """Whose data key seals it."""
        return self.aggregator_id

    filed_by_id = None


class Officer(SealedFacts):
    """Somebody who speaks for the aggregator; name, e-mail and telephone are sealed under its data key."""

    access_paths = ("aggregator", REGULATOR)
    personal = tuple(OFFICER_FIELDS)

    uuid = key()
    aggregator = of_aggregator("officers")
    title = models.CharField("office", max_length=80, help_text="such as Chief executive")
    signs = models.BooleanField("may sign for the company", default=False)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.title} of {self.aggregator}"

    def about(self) -> bytes:
        """What the ciphertext is bound to, beside its key."""
        return f"officer:{self.aggregator_id}".encode()

    @property
    def holder_id(self) -> int:
        """Whose data key seals it."""
        return self.aggregator_id

    filed_by_id = None


class Certification(models.Model):
    """What somebody certified of the aggregator, until a day, with its evidence. A later one of the same kind takes its place."""

    access_paths = ("aggregator", REGULATOR)

    class Kind(models.TextChoices):
        LICENCE = "licence", "State licence of an aggregator"
        CYBER = "cyber", "Cyber security audit"
        INSURANCE = "insurance", "Liability insurance"
        CREDIT = "credit", "Financial security"
        PROTOCOL = "protocol", "Protocol certification (IEEE 2030.5, OpenADR)"
        MARKET = "market", "Market participant qualification"

    uuid = key()
    aggregator = of_aggregator("certifications")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    number = models.CharField(max_length=60, blank=True)
    issuer = models.CharField(max_length=120)
    expires_on = models.DateField("valid until", help_text="the last day on which it is valid")
    evidence = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_on = models.DateField(null=True, blank=True)
    warned_days = models.PositiveSmallIntegerField(null=True, editable=False, help_text="so many days ahead the last warning was sent")

    objects = CertificationQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["kind", "-expires_on"]
        indexes = [models.Index(fields=["expires_on"], name="certification_expiry", condition=Q(withdrawn_on=None))]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.aggregator}"


class RtoMembership(models.Model):
    """The aggregator takes part in a market under a member number on some days."""

    access_paths = ("aggregator", "tso", REGULATOR)

    uuid = key()
    aggregator = of_aggregator("rto_memberships")
    tso = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="members", verbose_name="RTO")
    member_no = models.CharField("member number", max_length=40)
    valid_during = DateRangeField("days", help_text="half open")

    objects = DatedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "RTO membership"
        constraints = [
            ExclusionConstraint(
                name="rto_member_once",
                expressions=[
                    ("aggregator", RangeOperators.EQUAL),
                    ("tso", RangeOperators.EQUAL),
                    ("valid_during", RangeOperators.OVERLAPS),
                ],
                violation_error_message="The aggregator is a member of this RTO on some of these days already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.aggregator} in {self.tso}"


class AgreementSignature(Appended):
    """The market participation agreement with its attestation of compliance, signed by a person for the aggregator (¶352).

    `agreement` is the version of the text (a rule set row, never changed while it is named here), `text_sha256` the hash of what was read.
    Added only.
    """

    access_paths = ("aggregator", REGULATOR)

    uuid = key()
    aggregator = of_aggregator("signatures")
    agreement = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+")
    version = models.CharField(max_length=40)
    text = models.TextField()
    text_sha256 = models.CharField("hash of the text (SHA-256)", max_length=64)
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_as = models.CharField("as", max_length=120, help_text="the office in which the person signs")
    signed_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["aggregator", "text_sha256"], name="agreement_signed_once")]
        triggers = [
            Refuse(name="sealed_rows", operation=pgtrigger.Update | pgtrigger.Delete),
            Refuse(name="sealed_table", operation=pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return f"Agreement {self.version}, signed by {self.signed_by} for {self.aggregator}"


class Suspension(models.Model):
    """An authority keeps an aggregator from filing, at its own level: a regulator everywhere, an RTO in its market, a utility with itself.

    What is registered stays as it is.
    """

    access_paths = ("aggregator", "authority", REGULATOR)

    class Level(models.TextChoices):
        STATE = "state", "Every filing"
        MARKET = "market", "Aggregations in this market"
        UTILITY = "utility", "Filings with this utility"

    class Reason(models.TextChoices):
        LAPSED = "lapsed", "Licence or registration lapsed"
        BREACH = "breach", "Breach of the agreement or its attestation"
        CREDIT = "credit", "Financial security missing"
        DATA = "data", "Personal data or cyber security breach"
        RELIABILITY = "reliability", "Demonstrated threat to reliable and safe operation (¶297)"
        FALSE_FACTS = "false_facts", "False or withheld facts"
        OWN_WISH = "own_wish", "The aggregator's own wish"

    class Status(models.TextChoices):
        IN_FORCE = "in_force", "In force"
        LIFTED = "lifted", "Lifted"

    lifecycle = Lifecycle(
        Transition("reinstate", (Status.IN_FORCE,), Status.LIFTED, "suspend_aggregators", needs_reason=True, sensitive=True),
        initial=(Status.IN_FORCE,),
    )

    uuid = key()
    aggregator = of_aggregator("suspensions")
    authority = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="suspensions_imposed", verbose_name="by")
    level = models.CharField(max_length=8, choices=Level.choices)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    statement = models.TextField(max_length=2000)
    evidence = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.IN_FORCE)
    imposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, **PERSON)
    imposed_at = models.DateTimeField(default=timezone.now)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, **PERSON)
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = SuspensionQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["aggregator", "authority"], condition=Q(status="in_force"), name="suspended_once"),
            models.CheckConstraint(
                name="suspension_evidence",
                condition=~Q(reason="reliability") | Q(evidence__isnull=False),
                violation_error_message="A threat to reliability is demonstrated by evidence.",
            ),
        ]

    def __str__(self) -> str:
        return f"Suspension of {self.aggregator} by {self.authority}"
