"""A dispute over what a utility decided, its parts, and the frozen bundle that it was opened with (Order 2222 ¶299)."""

import uuid

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.documents.models import Document
from moc.history import Appended, Refuse, Versions
from moc.lifecycle import Lifecycle, Transition
from moc.rulesets.models import RuleSet
from registry.prequalification.models import QualificationOverride
from registry.submissions.models import Decision, StagedDer, UtilityReview
from settlement.disputes.queries import OPEN, DisputeQuerySet

PURSUE, HEAR, DETERMINE = "pursue_disputes", "hear_disputes", "determine_disputes"


class Side(models.TextChoices):
    """Who speaks: the values are the names of a dispute's keys to the organisations."""

    AGGREGATOR = "aggregator", "Aggregator"
    EDC = "edc", "Utility"
    TSO = "tso", "RTO"
    RERRA = "rerra", "Regulator"


PARTIES = (Side.AGGREGATOR, Side.EDC)
# A decider reads what a party files in confidence from the day on which the dispute is before it
BEFORE_RTO = Q(side__in=PARTIES, dispute__rto_since__isnull=False)
BEFORE_RERRA = Q(side__in=PARTIES, dispute__rerra_since__isnull=False)


SUBJECTS = ("review", "row", "override")


def exactly_one(names: tuple[str, ...]) -> Q:
    """One of some keys is there, and no other."""
    found = Q()
    for one in names:
        found |= Q(**{f"{name}__isnull": name != one for name in names})
    return found


def party(**kwargs) -> models.ForeignKey:
    return models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, **kwargs)


def person(**kwargs) -> models.ForeignKey:
    return models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", **kwargs)


def added_only() -> list[pgtrigger.Trigger]:
    return [
        Refuse(name="sealed_rows", operation=pgtrigger.Update | pgtrigger.Delete),
        Refuse(name="sealed_table", operation=pgtrigger.Truncate),
    ]


class Dispute(models.Model):
    """One dispute over a decided row, a whole review or an override that bars, brought by the aggregator: exactly one subject.

    A dispatch and a statement become subjects with their models: each is one more nullable key here, in SUBJECTS, with a rule on what may
    be disputed of it (rules.py), what its bundle holds (bundles.py) and the service by which an end takes effect (endings.py).

    `row` carries no constraint in the database: retention lets staged rows go years later, and the bundle keeps what they said.
    `clock_rule` is the row of the law that set `due_at`, the end of the level; `turn` says whose statement is awaited until `turn_due_at`.
    """

    access_paths = ("aggregator", "edc", "tso", "rerra")

    class Status(models.TextChoices):
        NEGOTIATING = "negotiating", "Between the parties"
        AT_RTO = "at_rto", "Before the RTO"
        AT_RERRA = "at_rerra", "Before the regulator"
        SETTLED = "settled", "Settled by agreement"
        DETERMINED = "determined", "Determined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Level(models.TextChoices):
        PARTIES = "parties", "Between the parties"
        RTO = "rto", "RTO's process"
        RERRA = "rerra", "Regulator (RERRA)"

    class Outcome(models.TextChoices):
        UPHELD = "upheld", "Decision upheld"
        OVERTURNED = "overturned", "Approved"
        VARIED = "varied", "Approved with limits"
        DISMISSED = "dismissed", "Dismissed without a decision on the merits"
        SETTLED = "settled", "Settled by agreement"
        WITHDRAWN = "withdrawn", "Withdrawn"

    lifecycle = Lifecycle(
        Transition("escalate_to_rto", (Status.NEGOTIATING,), Status.AT_RTO, PURSUE, label="Take it to the RTO", needs_reason=True),
        Transition(
            "escalate_to_rerra",
            (Status.NEGOTIATING, Status.AT_RTO),
            Status.AT_RERRA,
            PURSUE,
            label="Take it to the regulator",
            needs_reason=True,
        ),
        Transition("refer", (Status.AT_RTO,), Status.AT_RERRA, HEAR, label="Refer it to the regulator", needs_reason=True),
        Transition("settle", OPEN, Status.SETTLED, None),
        Transition("determine", (Status.AT_RTO, Status.AT_RERRA), Status.DETERMINED, None),
        Transition("withdraw", OPEN, Status.WITHDRAWN, PURSUE, needs_reason=True, danger=True),
        initial=(Status.NEGOTIATING,),
    )

    uuid = models.UUIDField("dispute id", default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=300)
    aggregator = party()
    edc = party(verbose_name="utility")
    tso = party(null=True, blank=True, verbose_name="RTO")
    rerra = party(null=True, blank=True, verbose_name="regulator")
    review = models.ForeignKey(
        UtilityReview, null=True, blank=True, on_delete=models.PROTECT, related_name="disputes", verbose_name="disputed review"
    )
    row = models.ForeignKey(
        StagedDer,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        related_name="disputes",
        db_constraint=False,
        verbose_name="disputed DER",
    )
    override = models.ForeignKey(
        QualificationOverride, null=True, blank=True, on_delete=models.PROTECT, related_name="disputes", verbose_name="disputed override"
    )
    decision = models.ForeignKey(
        Decision, null=True, blank=True, on_delete=models.PROTECT, related_name="disputes", help_text="what the utility had decided"
    )
    claim = models.TextField(help_text="what the aggregator wants, and why")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.NEGOTIATING)
    level = models.CharField(max_length=8, choices=Level.choices, default=Level.PARTIES)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    clock_rule = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+", help_text="the row of the law that set the clock")
    due_at = models.DateTimeField(help_text="the end of the present level")
    overdue_at = models.DateTimeField(null=True, blank=True, help_text="when everybody was told that nobody is left to take it to")
    turn = models.CharField("whose turn", max_length=10, choices=Side.choices, blank=True)
    turn_due_at = models.DateTimeField(null=True, blank=True)
    opened_by = person()
    opened_at = models.DateTimeField(default=timezone.now)
    rto_since = models.DateTimeField("before the RTO since", null=True, blank=True)
    rerra_since = models.DateTimeField("before the regulator since", null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    bundle_count = models.PositiveIntegerField("records in the bundle", default=0)
    bundle_sha256 = models.CharField("hash of the bundle (SHA-256)", max_length=64, blank=True)

    objects = DisputeQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=[key, "due_at", "id"], name=f"dispute_by_{key}") for key in Side.values]
        constraints = [
            models.CheckConstraint(
                name="dispute_one_subject",
                condition=exactly_one(SUBJECTS),
                violation_error_message="A dispute is about a review, a filed DER or an override, and about one of them only.",
            ),
            models.CheckConstraint(
                name="dispute_level",
                condition=~Q(status__in=OPEN)
                | Q(status="negotiating", level="parties")
                | Q(status="at_rto", level="rto", tso__isnull=False, rto_since__isnull=False)
                | Q(status="at_rerra", level="rerra", rerra__isnull=False, rerra_since__isnull=False),
            ),
            models.CheckConstraint(
                name="dispute_closed",
                condition=Q(status__in=OPEN, outcome="", closed_at__isnull=True)
                | (~Q(status__in=OPEN) & ~Q(outcome="") & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(name="dispute_turn_of_a_party", condition=Q(turn__in=["", *PARTIES])),
            *[
                models.UniqueConstraint(fields=[subject], condition=Q(status__in=OPEN), name=f"dispute_open_once_{subject}")
                for subject in SUBJECTS
            ],
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether it still stands."""
        return self.status in OPEN

    @property
    def authority(self) -> Organization | None:
        """Before whom it is: the RTO or the regulator; None between the parties, and once it is closed."""
        return {"at_rto": self.tso, "at_rerra": self.rerra}.get(self.status)

    def organization(self, side: str) -> Organization | None:
        """The organisation on a side."""
        return getattr(self, side)


class DisputePart(Appended):
    """What somebody put to the file: a statement, evidence, a question, an answer, a meeting, a decider's note. Added only.

    A confidential part is read by who filed it and oversees that one, and, from the day the dispute is before them, by the RTO and the
    regulator. What is known of an attached file stands here, so that it is sealed with the part; the file is opened through the part only.
    """

    access_paths = ("author", "dispute__aggregator", "dispute__edc", "dispute__tso", "dispute__rerra")
    access_conditions = {
        "dispute__aggregator": Q(is_shared=True),
        "dispute__edc": Q(is_shared=True),
        "dispute__tso": Q(is_shared=True) | BEFORE_RTO,
        "dispute__rerra": Q(is_shared=True) | BEFORE_RERRA,
    }

    class Kind(models.TextChoices):
        STATEMENT = "statement", "Statement"
        EVIDENCE = "evidence", "Evidence"
        QUESTION = "question", "Request for information"
        ANSWER = "answer", "Answer"
        MEETING = "meeting", "Meeting"
        NOTE = "note", "Note"

    uuid = models.UUIDField("part id", default=uuid.uuid4, unique=True, editable=False)
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="parts")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    level = models.CharField(max_length=8, choices=Dispute.Level.choices)
    side = models.CharField(max_length=10, choices=Side.choices)
    author = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="filed by")
    is_shared = models.BooleanField("shared with the other party", default=True)
    text = models.TextField()
    document = models.ForeignKey(Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    document_name = models.CharField("file", max_length=200, blank=True)
    document_sha256 = models.CharField("hash of the file (SHA-256)", max_length=64, blank=True)
    asked = models.CharField("who is asked", max_length=10, choices=Side.choices, blank=True)
    due_at = models.DateTimeField("answer due", null=True, blank=True)
    answers = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="answered_by")
    held_at = models.DateTimeField("met", null=True, blank=True)
    attendees = models.CharField("who took part", max_length=500, blank=True)
    created_by = person(null=True)
    created_at = models.DateTimeField("filed", default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "part of a dispute"
        verbose_name_plural = "parts of disputes"
        ordering = ["id"]
        triggers = added_only()
        constraints = [
            models.CheckConstraint(
                name="dispute_question_asks_somebody",
                condition=Q(kind="question", is_shared=True, due_at__isnull=False) & ~Q(asked="") | (~Q(kind="question") & Q(asked="")),
            ),
            models.CheckConstraint(
                name="dispute_answer_to_a_question",
                condition=Q(kind="answer", answers__isnull=False) | (~Q(kind="answer") & Q(answers__isnull=True)),
            ),
            models.CheckConstraint(name="dispute_meeting_has_a_day", condition=~Q(kind="meeting") | Q(held_at__isnull=False)),
            models.CheckConstraint(name="dispute_statement_is_shared", condition=~Q(kind="statement", is_shared=False)),
            models.UniqueConstraint(fields=["answers"], name="dispute_question_answered_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.author}"


class BundleItem(Appended):
    """One record, version, message, clock or file that concerned the dispute when it was opened, as it stood. Added only.

    `content` is the canonical JSON text that `sha256` is the hash of; a party reads what it could read anyway (`audience`), the RTO and the
    regulator everything from the day on which the dispute is before them.
    """

    access_paths = ("dispute__aggregator", "dispute__edc", "dispute__tso", "dispute__rerra")
    access_conditions = {
        "dispute__aggregator": Q(audience__in=["", Side.AGGREGATOR]),
        "dispute__edc": Q(audience__in=["", Side.EDC]),
        "dispute__tso": Q(audience="") | Q(dispute__rto_since__isnull=False),
        "dispute__rerra": Q(audience="") | Q(dispute__rerra_since__isnull=False),
    }

    class Kind(models.TextChoices):
        RECORD = "record", "Record"
        VERSION = "version", "Version"
        MESSAGE = "message", "Message"
        CLOCK = "clock", "Clock"
        FILE = "file", "File"

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="bundle")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    source = models.CharField("from", max_length=60)
    source_key = models.BigIntegerField("its key there")
    audience = models.CharField("known to one party only", max_length=10, choices=Side.choices, blank=True)
    stood_at = models.DateTimeField("as of")
    content = models.TextField()
    sha256 = models.CharField("hash (SHA-256)", max_length=64)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "record of a bundle"
        verbose_name_plural = "records of bundles"
        ordering = ["id"]
        triggers = added_only()

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.source} {self.source_key}"
