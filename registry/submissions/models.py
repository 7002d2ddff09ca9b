"""The batch, its staged rows and findings, the utility's review and its decisions (FERC Order 2222 ¶292, ¶296, ¶297)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.documents.models import Document
from moc.history import Versions
from moc.jobs.models import Job
from moc.lifecycle import Lifecycle, Transition
from moc.rulesets.models import RuleSet
from moc.units import counted
from registry.aggregations.models import Aggregation
from registry.ders.models import Der, DerFacts, magnitude
from registry.grid.models import ServicePoint
from registry.submissions.choices import Basis, DecisionKind, DenialReason
from registry.submissions.kinds import MEMBERSHIP, Kind
from registry.submissions.queries import FindingQuerySet, ReviewQuerySet, StagedDerQuerySet
from registry.utilities.models import LetterTemplate
from registry.utilities.rules import rule_of


class Submission(models.Model):
    """A batch of DERs that an aggregator files by form, file or API, by kind (kinds.py); it is split into one UtilityReview per utility."""

    access_paths = ("aggregator", "reviews__edc")

    Kind = Kind

    class Source(models.TextChoices):
        FORM = "form", "Web form"
        FILE = "file", "File"
        API = "api", "API"

    class Status(models.TextChoices):
        STAGING = "staging", "Being read"
        DRAFT = "draft", "Draft"
        SUBMITTED = "submitted", "Submitted, completeness check"
        RETURNED = "returned", "Returned as incomplete"
        IN_REVIEW = "in_review", "Under utility review"
        COMPLETED = "completed", "Decided"
        WITHDRAWN = "withdrawn", "Withdrawn"

    lifecycle = Lifecycle(
        Transition("stage", (Status.DRAFT, Status.RETURNED), Status.STAGING, "file_ders"),
        Transition("staged", (Status.STAGING,), Status.DRAFT, None),
        Transition("submit", (Status.DRAFT,), Status.SUBMITTED, "submit_ders"),
        Transition("resubmit", (Status.RETURNED,), Status.SUBMITTED, "submit_ders"),
        Transition("return_incomplete", (Status.SUBMITTED,), Status.RETURNED, None, needs_reason=True),
        Transition("find_complete", (Status.SUBMITTED,), Status.IN_REVIEW, None),
        Transition("complete", (Status.IN_REVIEW,), Status.COMPLETED, None),
        Transition(
            "withdraw",
            (Status.STAGING, Status.DRAFT, Status.SUBMITTED, Status.RETURNED, Status.IN_REVIEW),
            Status.WITHDRAWN,
            "file_ders",
            needs_reason=True,
            danger=True,
        ),
        initial=(Status.STAGING, Status.DRAFT),
    )

    uuid = models.UUIDField("submission id", default=uuid.uuid4, unique=True, editable=False)
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="submissions")
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.REGISTER)
    reason = models.CharField(max_length=300, blank=True, help_text="why registered DERs change")
    aggregation = models.ForeignKey(Aggregation, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(max_length=6, choices=Source.choices)
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.DRAFT)
    document = models.ForeignKey(Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sheet = models.JSONField(default=dict, blank=True, help_text="how the file was read: kind, encoding, columns, unknown columns")
    row_count = models.PositiveIntegerField(default=0)
    checked_at = models.DateTimeField(
        null=True, blank=True, help_text="when the rules last ran over all rows; empty when a row changed since"
    )
    idempotency_key = models.CharField(max_length=80, blank=True)
    starts_on = models.DateField("first day", null=True, blank=True, help_text="of a switch: the first with the new aggregator")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True, blank=True)
    attestation_version = models.CharField(max_length=20, blank=True)
    attestation_sha256 = models.CharField(max_length=64, blank=True)
    completeness_due_at = models.DateTimeField(null=True, blank=True)
    resubmit_due_at = models.DateTimeField(null=True, blank=True)
    continues = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="continued_by", help_text="holds the rows that stayed behind"
    )

    objects = ScopedQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        indexes = [models.Index(fields=["aggregator", "-id"], name="submission_by_aggregator")]
        constraints = [
            models.UniqueConstraint(
                fields=["aggregator", "idempotency_key"], condition=~Q(idempotency_key=""), name="submission_idempotent"
            ),
            models.CheckConstraint(condition=Q(kind__in=MEMBERSHIP) ^ Q(aggregation=None), name="submission_of_members"),
            models.CheckConstraint(
                condition=Q(submitted_at__isnull=True) | ~Q(attestation_sha256="", submitted_by__isnull=False), name="submission_attested"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class UtilityReview(models.Model):
    """One utility's review of its rows of a submission, against the clock (¶292; the 60 days of ¶295 are a RuleSet row)."""

    access_paths = ("edc", "aggregator")

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        INFO_REQUESTED = "info_requested", "Information requested"
        ESCALATED = "escalated", "Clock expired, escalated"
        CLOSED = "closed", "Closed"

    class Scope(models.TextChoices):
        """What of a change is reviewed (¶336): a rule set row of the market says what a review starts with."""

        CHANGED = "changed_ders", "The changed DERs"
        AGGREGATIONS = "same_aggregations", "All DERs of the same aggregations"

    lifecycle = Lifecycle(
        Transition("request_info", (Status.OPEN,), Status.INFO_REQUESTED, "review_ders"),
        Transition("resume", (Status.INFO_REQUESTED,), Status.OPEN, None),
        Transition("escalate", (Status.OPEN, Status.INFO_REQUESTED), Status.ESCALATED, None),
        Transition("close", (Status.OPEN, Status.INFO_REQUESTED, Status.ESCALATED), Status.CLOSED, None),
        initial=(Status.OPEN,),
    )

    uuid = models.UUIDField("review id", default=uuid.uuid4, unique=True, editable=False)
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="reviews", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="reviews", db_index=False, verbose_name="utility")
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="reviewed")
    status = models.CharField(max_length=15, choices=Status.choices, default=Status.OPEN)
    row_count = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    clock_rule = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+", help_text="the row of the law that set the clock")
    pauses_clock = models.BooleanField(
        default=False, help_text="a request for information pauses the clock (only where a rule set row says so)"
    )
    paused_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    scope = models.CharField(max_length=20, choices=Scope.choices, default=Scope.CHANGED)
    scope_reason = models.CharField("why the scope was widened", max_length=300, blank=True)

    objects = ReviewQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["submission", "edc"], name="review_once")]
        indexes = [
            models.Index(fields=["edc", "due_at", "id"], name="review_queue"),
            models.Index(fields=["due_at"], condition=~Q(status="closed"), name="review_open_by_due"),
        ]

    def __str__(self) -> str:
        return f"{self.edc}: {self.submission.title}"

    @property
    def days_left(self) -> int:
        """Whole days until the clock expires; negative when it has."""
        return (self.due_at - timezone.now()).days


class Decision(models.Model):
    """One decision over one row or a hundred thousand. A denial is proposed by one person and confirmed by another."""

    access_paths = ("review__edc", "review__aggregator")
    access_conditions = {"review__aggregator": ~Q(status__in=["proposed", "rejected"])}  # in the making: the utility's own business

    Kind, Reason, Basis = DecisionKind, DenialReason, Basis

    class Status(models.TextChoices):
        EFFECTIVE = "effective", "Effective"
        PROPOSED = "proposed", "Proposed, awaits a second person"
        REJECTED = "rejected", "Not confirmed"
        ANSWERED = "answered", "Answered"

    lifecycle = Lifecycle(
        Transition("confirm", (Status.PROPOSED,), Status.EFFECTIVE, "confirm_denials", sensitive=True),
        Transition("reject", (Status.PROPOSED,), Status.REJECTED, "confirm_denials", needs_reason=True),
        Transition("answer", (Status.EFFECTIVE,), Status.ANSWERED, "file_ders"),
        initial=(Status.EFFECTIVE, Status.PROPOSED),
    )

    BY_PEOPLE = (Kind.APPROVE, Kind.APPROVE_LIMITED, Kind.REQUEST_INFO, Kind.DENY)
    TITLES = dict(
        zip(Kind, ("Approval", "Approval with limits", "Request for information", "Denial", "Deemed approval", "Notice"), strict=True)
    )

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    review = models.ForeignKey(UtilityReview, on_delete=models.PROTECT, related_name="decisions")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.EFFECTIVE)
    reason_code = models.CharField(max_length=30, choices=Reason.choices, blank=True)
    statement = models.TextField(blank=True, help_text="the question, the grounds, or the conditions")
    evidence = models.ForeignKey(Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    export_limit_kw = magnitude("export limit (kW)")
    import_limit_kw = magnitude("import limit (kW)")
    temporal_limits = models.JSONField(null=True, blank=True)
    inverter_settings = models.JSONField(null=True, blank=True, help_text="IEEE 1547 settings that the DERs shall keep")
    row_count = models.PositiveIntegerField(default=0)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(default=timezone.now)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)
    basis = models.CharField(max_length=13, choices=Basis.choices, default=Basis.REVIEW)
    authority = models.ForeignKey(
        Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="whose determination it carries out"
    )
    letter_template = models.ForeignKey(LetterTemplate, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions")

    objects = ScopedQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="deemed_by_the_clock",
                condition=~Q(kind__in=["deemed", "notice"]) | Q(decided_by__isnull=True),
                violation_error_message="Only the clock deems a DER approved, and nobody decides a notice.",
            ),
            models.CheckConstraint(
                name="denial_has_grounds_and_evidence",
                condition=~Q(kind="deny") | (~Q(reason_code="") & Q(evidence__isnull=False)),
                violation_error_message="A denial needs a reason of the closed list and evidence.",
            ),
            models.CheckConstraint(
                name="denial_four_eyes",
                condition=~Q(kind="deny", status="effective") | (Q(confirmed_by__isnull=False) & ~Q(confirmed_by=F("decided_by"))),
                violation_error_message="A denial is confirmed by another person than the one who proposed it.",
            ),
            models.CheckConstraint(
                name="end_of_dispute_four_eyes",
                condition=Q(basis="review") | (Q(confirmed_by__isnull=False) & ~Q(confirmed_by=F("decided_by"))),
                violation_error_message="What ends a dispute is the word of two people.",
            ),
            models.CheckConstraint(
                name="determination_has_an_authority",
                condition=Q(basis="determination", authority__isnull=False) | (~Q(basis="determination") & Q(authority__isnull=True)),
            ),
            models.CheckConstraint(
                name="limited_approval_has_a_limit",
                condition=~Q(kind="approve_limited")
                | Q(export_limit_kw__isnull=False)
                | Q(import_limit_kw__isnull=False)
                | Q(temporal_limits__isnull=False),
                violation_error_message="An approval with limits needs an import, export or temporal limit.",
            ),
            models.CheckConstraint(
                name="decision_limits_not_negative",
                condition=~(Q(export_limit_kw__lt=0) | Q(import_limit_kw__lt=0)),
                violation_error_message="Limits are not negative.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({counted(self.row_count, 'rows')})"

    @property
    def title(self) -> str:
        """What a letter about it is headed."""
        return self.TITLES[self.kind]


class StagedDer(DerFacts):
    """One row of a submission, typed: what was filed, which record and service point it was found to mean, and how it was decided.
    Its foreign keys carry no database constraint: the one statement that writes a row resolves them by joins, and six million key
    look-ups for a million staged rows would cost more than staging them. `status` and `decision` stand in no index and the pages are
    half filled (0002): deciding rewrites no index entry; a decision's rows are found within its review. History records decisions.
    """

    access_paths = ("aggregator", "edc")
    access_conditions = {"edc": Q(submission__submitted_at__isnull=False)}

    class Status(models.TextChoices):
        PENDING = "pending", "Not decided"
        INFO_REQUESTED = "info_requested", "Information requested"
        DENIAL_PROPOSED = "denial_proposed", "Denial proposed"
        APPROVED = "approved", "Approved"
        APPROVED_LIMITED = "approved_limited", "Approved with limits"
        DEEMED_APPROVED = "deemed_approved", "Deemed approved"
        DENIED = "denied", "Denied"
        WITHDRAWN = "withdrawn", "Withdrawn"
        NOTED = "noted", "Taken note of"

    class Change(models.TextChoices):
        NEW = "new", "New"
        CHANGED = "changed", "Changed"
        UNCHANGED = "unchanged", "Unchanged"
        NOTICE = "notice", "Notice only"
        IN_SCOPE = "in_scope", "Reviewed too"

    OPEN = (Status.PENDING, Status.INFO_REQUESTED, Status.DENIAL_PROPOSED)
    DISPUTABLE = (Status.DENIED, Status.APPROVED_LIMITED, Status.PENDING, Status.INFO_REQUESTED)

    lifecycle = Lifecycle(
        Transition("approve", (Status.PENDING, Status.INFO_REQUESTED), Status.APPROVED, "review_ders"),
        Transition(
            "approve_limited", (Status.PENDING, Status.INFO_REQUESTED), Status.APPROVED_LIMITED, "review_ders", label="Approve with limits"
        ),
        Transition("request_info", (Status.PENDING,), Status.INFO_REQUESTED, "review_ders", label="Request information", needs_reason=True),
        Transition(
            "deny", (Status.PENDING, Status.INFO_REQUESTED), Status.DENIAL_PROPOSED, "review_ders", label="Propose denial", danger=True
        ),
        Transition("confirm_denial", (Status.DENIAL_PROPOSED,), Status.DENIED, "confirm_denials", danger=True),
        Transition("reject_denial", (Status.DENIAL_PROPOSED,), Status.PENDING, "confirm_denials"),
        Transition("answer", (Status.INFO_REQUESTED,), Status.PENDING, "file_ders"),
        Transition("deem", (Status.PENDING, Status.INFO_REQUESTED), Status.DEEMED_APPROVED, None, label="Deem approved"),
        Transition("withdraw", (Status.PENDING, Status.INFO_REQUESTED, Status.DENIAL_PROPOSED), Status.WITHDRAWN, "file_ders"),
        Transition("note", (Status.PENDING,), Status.NOTED, None, label="Take note"),
        Transition("overturn", DISPUTABLE, Status.APPROVED, None, label="Approve at the end of a dispute"),
        Transition("vary", DISPUTABLE, Status.APPROVED_LIMITED, None, label="Approve with limits at the end of a dispute"),
        initial=(Status.PENDING,),
    )

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="rows", db_constraint=False, db_index=False)
    row_number = models.PositiveIntegerField("row")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    change = models.CharField(max_length=10, choices=Change.choices, default=Change.NEW)
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    utility_id_eia = models.IntegerField("utility (EIA id)", null=True, blank=True)
    usage_point_id = models.CharField("service point", max_length=40, blank=True)
    county_fips = models.CharField("county (FIPS)", max_length=5, blank=True)
    edc = models.ForeignKey(Organization, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    service_point = models.ForeignKey(
        ServicePoint, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    der = models.ForeignKey(
        Der,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
        help_text="the record that the row would change, found when it was filed",
    )
    decision = models.ForeignKey(Decision, null=True, on_delete=models.PROTECT, related_name="rows", db_constraint=False, db_index=False)

    objects = StagedDerQuerySet.as_manager()

    class Meta:
        verbose_name = "filed DER"
        constraints = [models.UniqueConstraint(fields=["submission", "row_number"], name="staged_row_once")]
        indexes = [
            models.Index(fields=["submission", "edc", "row_number"], name="staged_by_review"),
            models.Index(fields=["submission", "edc"], include=["change"], condition=~Q(change="new"), name="staged_changes"),  # few
            models.Index(fields=["aggregator", "external_id"], name="staged_by_external_id"),
        ]

    def __str__(self) -> str:
        return f"Row {self.row_number}: {self.external_id}"


class Finding(models.Model):
    """What a rule found wrong with a row: the rule's code gives sentence, remedy and citation; the value is as given."""

    access_paths, field_groups, hidden_values = ("submission__aggregator", "row__edc"), DerFacts.field_groups, ("column", "value")
    access_conditions = {"row__edc": Q(row__submission__submitted_at__isnull=False)}

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="findings", db_index=False)
    row = models.ForeignKey(StagedDer, on_delete=models.CASCADE, related_name="findings")
    row_number = models.PositiveIntegerField()
    code = models.CharField(max_length=60)
    severity = models.CharField(max_length=8)
    column = models.CharField(max_length=60, blank=True)
    value = models.TextField(blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["row_number", "code", "column"]
        indexes = [
            models.Index(fields=["submission", "row_number"], name="finding_by_row"),
            models.Index(fields=["submission", "code"], name="finding_by_code"),
        ]

    def __str__(self) -> str:
        return f"Row {self.row_number}, {self.column}: {self.code}"

    @property
    def rule(self):  # sentence, remedy and citation
        return rule_of(self.code)
