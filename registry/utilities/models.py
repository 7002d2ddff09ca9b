"""A utility's own settings. Rules and periods are in force on days and never rewritten; each saved letter is a version that stays."""

import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc import letters
from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.rules import ERROR, WARNING
from moc.units import MagnitudeField
from registry.ders.choices import technologies
from registry.utilities.queries import DatedQuerySet, LetterQuerySet


def utility(related_name: str) -> models.ForeignKey:
    return models.ForeignKey(Organization, on_delete=models.PROTECT, related_name=related_name, verbose_name="utility")


def days_in_force() -> DateRangeField:
    return DateRangeField("in force", help_text="days, half open")


def one_a_day(name: str, *same: str) -> ExclusionConstraint:
    return ExclusionConstraint(
        name=name,
        expressions=[*((column, RangeOperators.EQUAL) for column in same), ("valid_during", RangeOperators.OVERLAPS)],
        violation_error_message="Another one is in force on some of these days.",
    )


class ReviewRule(models.Model):
    """What a utility asks of filings beyond the registry's rules. Open to everybody: who files must be able to know it (¶292)."""

    access_paths = ("PUBLIC", "edc")

    class Kind(models.TextChoices):
        AT_MOST = "at_most", "At most"
        AT_LEAST = "at_least", "At least"
        REQUIRED = "required", "Must be given"
        ONE_OF = "one_of", "One of these codes"
        INCLUDES = "includes", "Includes these codes"

    class Severity(models.TextChoices):
        ERROR = ERROR, "Error: the row cannot be submitted"
        WARNING = WARNING, "Warning: the reviewer sees it"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    edc = utility("review_rules")
    field = models.CharField("column", max_length=60, help_text="a column of a filing")
    kind = models.CharField("demand", max_length=10, choices=Kind.choices)
    number = MagnitudeField("number", null=True, blank=True)
    codes = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    technologies = ArrayField(
        models.CharField(max_length=30, choices=technologies), default=list, blank=True, help_text="only for these; none: for all"
    )
    from_kw = MagnitudeField("from nameplate AC (kW)", null=True, blank=True, help_text="only for DERs of this size and larger")
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.ERROR)
    remedy = models.CharField(max_length=300, help_text="what the aggregator shall do")
    valid_during = days_in_force()

    objects = DatedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["edc", "field", "id"]
        constraints = [
            models.CheckConstraint(
                name="review_rule_number",
                condition=Q(kind__in=["at_most", "at_least"], number__isnull=False)
                | (~Q(kind__in=["at_most", "at_least"]) & Q(number=None)),
                violation_error_message="A limit needs a number, and only a limit has one.",
            ),
            models.CheckConstraint(
                name="review_rule_codes",
                condition=(Q(kind__in=["one_of", "includes"]) & ~Q(codes=[])) | (~Q(kind__in=["one_of", "includes"]) & Q(codes=[])),
                violation_error_message="A demand for codes needs codes, and only such a one has them.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.edc}: {self.field} {self.get_kind_display().lower()}"


class ReviewPractice(models.Model):
    """How a utility reviews: to whom new reviews go, and whether a decision file may set limits."""

    access_paths = ("edc",)

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    edc = utility("review_practices")
    reviewers = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        help_text="users to whom new reviews are given in turn; none: to nobody in particular",
    )
    limits_by_file = models.BooleanField("limits by file", default=True, help_text="a decision file may approve with limits")
    valid_during = days_in_force()

    objects = DatedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["edc", "valid_during"]
        constraints = [one_a_day("practice_one_a_day", "edc")]

    def __str__(self) -> str:
        return f"Practice of {self.edc}"


class LetterTemplate(models.Model):
    """One version of a utility's letterhead and words for a kind of document. A version is never changed: decisions keep theirs.

    Open to everybody: it stands on the papers of whoever has dealings with the utility.
    """

    access_paths = ("PUBLIC", "edc")

    class Kind(models.TextChoices):
        DECISION = "decision", "Decision letter"
        CERTIFICATE = "certificate", "Registration certificate"

    PLACEHOLDERS = {
        Kind.DECISION: {
            "utility": "the utility's name",
            "aggregator": "the aggregator's name",
            "submission": "the filing's title",
            "submitted_on": "the day on which it was submitted",
            "decision": "what was decided",
            "decided_on": "the day of the decision",
            "count": "how many DERs it is about",
            "reference": "the decision's id",
        },
        Kind.CERTIFICATE: {
            "utility": "the utility's name",
            "aggregator": "the aggregator's name",
            "der": "the aggregator's id of the DER",
            "technology": "its technology",
            "registered_on": "the day of its registration",
            "reference": "the DER's id (mRID)",
        },
    }

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    edc = utility("letter_templates")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    version = models.PositiveIntegerField()
    sender = models.CharField("sender", max_length=120, blank=True, help_text="the name at the head; empty: the utility's legal name")
    address = models.TextField(max_length=400, blank=True)
    logo = models.BinaryField(default=bytes, blank=True, editable=False)
    opening = models.TextField(max_length=4000, blank=True, help_text="before the decision or the record")
    closing = models.TextField(max_length=4000, blank=True, help_text="after it")
    signature = models.CharField("signature line", max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = LetterQuerySet.as_manager()
    history = Versions(excluded_fields=["logo"])

    class Meta:
        ordering = ["edc", "kind", "-version"]
        constraints = [models.UniqueConstraint(fields=["edc", "kind", "version"], name="letter_version_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.edc}, version {self.version}"

    def words(self, values: dict[str, object]) -> dict[str, str]:
        """The texts of the letter with its placeholders filled, for documents/letterhead.html and its neighbours."""
        return {name: letters.fill(getattr(self, name), values) for name in ("opening", "closing", "signature")} | {
            "sender": self.sender or self.edc.legal_name or self.edc.name,
            "address": self.address,
            "has_logo": bool(self.logo),
        }


class RetentionPeriod(models.Model):
    """How many days after a review was closed a utility keeps one class of its working data; none in force: it is kept."""

    access_paths = ("edc",)

    class DataClass(models.TextChoices):
        UPLOADS = "uploads", "Uploaded filings"
        FINDINGS = "findings", "Findings"
        STAGED_ROWS = "staged_rows", "Filed rows of decided reviews"
        EVIDENCE = "evidence", "Evidence"

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    edc = utility("retention_periods")
    data_class = models.CharField("class", max_length=12, choices=DataClass.choices)
    days = models.PositiveIntegerField(help_text="after the review was closed")
    valid_during = days_in_force()

    objects = DatedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["edc", "data_class", "valid_during"]
        constraints = [one_a_day("retention_one_a_day", "edc", "data_class")]

    def __str__(self) -> str:
        return f"{self.get_data_class_display()} of {self.edc}: {self.days} days"


class Removal(models.Model):
    """What retention removed from one submission, for the record: how much, under which period."""

    access_paths = ("edc",)

    edc = utility("removals")
    data_class = models.CharField("class", max_length=12, choices=RetentionPeriod.DataClass.choices)
    period = models.ForeignKey(RetentionPeriod, on_delete=models.PROTECT, related_name="removals")
    submission = models.UUIDField("submission id")
    removed = models.PositiveIntegerField()
    removed_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["edc", "-id"], name="removal_by_utility")]

    def __str__(self) -> str:
        return f"{self.removed} {self.get_data_class_display().lower()} of {self.submission}"
