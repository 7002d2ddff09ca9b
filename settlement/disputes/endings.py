"""How a dispute ends: by a proposal that the other party agrees to, or by a determination of the RTO or the regulator."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.documents.models import Document
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition
from registry.ders.models import magnitude
from registry.submissions.models import Decision
from settlement.disputes.models import DETERMINE, PARTIES, PURSUE, Dispute, Side, person


def settings_field() -> models.JSONField:
    """The settings of what approves with limits."""
    return models.JSONField("inverter settings", null=True, blank=True, help_text="IEEE 1547 settings that the DERs shall keep")


class SettlementProposal(models.Model):
    """Terms on which one party would end the dispute; the other's acceptance makes them an agreement, and takes effect."""

    access_paths = ("dispute__aggregator", "dispute__edc")

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        ACCEPTED = "accepted", "Agreed"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Effect(models.TextChoices):
        NONE = "none", "The decision stands"
        APPROVE = "approve", "Approve"
        APPROVE_LIMITED = "approve_limited", "Approve with limits"

    lifecycle = Lifecycle(
        Transition("accept", (Status.PROPOSED,), Status.ACCEPTED, PURSUE, label="Agree to these terms", sensitive=True, danger=True),
        Transition("decline", (Status.PROPOSED,), Status.DECLINED, PURSUE, needs_reason=True),
        Transition("withdraw", (Status.PROPOSED,), Status.WITHDRAWN, PURSUE, label="Withdraw the proposal"),
        Transition("lapse", (Status.PROPOSED,), Status.WITHDRAWN, None),
        initial=(Status.PROPOSED,),
    )

    uuid = models.UUIDField("proposal id", default=uuid.uuid4, unique=True, editable=False)
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="proposals")
    side = models.CharField("proposed by the", max_length=10, choices=Side.choices)
    terms = models.TextField()
    effect = models.CharField("effect on the disputed record", max_length=16, choices=Effect.choices)
    export_limit_kw = magnitude("export limit (kW)")
    import_limit_kw = magnitude("import limit (kW)")
    inverter_settings = models.JSONField(
        "inverter settings", null=True, blank=True, help_text="IEEE 1547 settings that the DERs shall keep"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    proposed_by = person()
    proposed_at = models.DateTimeField(default=timezone.now)
    answered_by = person(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    decision = models.ForeignKey(
        Decision, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="by which the agreement took effect"
    )

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="proposal_of_a_party", condition=Q(side__in=PARTIES)),
            models.CheckConstraint(
                name="proposal_four_eyes",
                condition=~Q(status="accepted") | (Q(answered_by__isnull=False) & ~Q(answered_by=F("proposed_by"))),
                violation_error_message="The other party agrees, by another person.",
            ),
            models.CheckConstraint(
                name="proposal_limits",
                condition=~Q(effect="approve_limited") | Q(export_limit_kw__isnull=False) | Q(import_limit_kw__isnull=False),
            ),
            models.UniqueConstraint(fields=["dispute"], condition=Q(status="proposed"), name="proposal_one_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_effect_display()}: {self.dispute}"


class Determination(models.Model):
    """How the RTO or the regulator decides: drafted by one person, confirmed by another, printed once, and carried out on the record.

    The parties see it when it is effective. `code` and `document_sha256` are those of the letter, which `document` keeps.
    """

    access_paths = ("authority", "dispute__aggregator", "dispute__edc", "dispute__tso", "dispute__rerra")
    access_conditions = {f"dispute__{side}": Q(status="effective") for side in Side.values}

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Drafted, awaits a second person"
        EFFECTIVE = "effective", "Effective"
        REJECTED = "rejected", "Not confirmed"

    class Outcome(models.TextChoices):
        UPHELD = "upheld", "The utility's decision stands"
        OVERTURNED = "overturned", "Approved"
        VARIED = "varied", "Approved with limits"
        DISMISSED = "dismissed", "Dismissed without a decision on the merits"

    lifecycle = Lifecycle(
        Transition("confirm", (Status.PROPOSED,), Status.EFFECTIVE, DETERMINE, sensitive=True, danger=True),
        Transition("reject", (Status.PROPOSED,), Status.REJECTED, DETERMINE, label="Do not confirm", needs_reason=True),
        Transition("lapse", (Status.PROPOSED,), Status.REJECTED, None),
        initial=(Status.PROPOSED,),
    )

    uuid = models.UUIDField("determination id", default=uuid.uuid4, unique=True, editable=False)
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="determinations")
    authority = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    level = models.CharField(max_length=8, choices=Dispute.Level.choices)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reasons = models.TextField()
    export_limit_kw = magnitude("export limit (kW)")
    import_limit_kw = magnitude("import limit (kW)")
    inverter_settings = models.JSONField(
        "inverter settings", null=True, blank=True, help_text="IEEE 1547 settings that the DERs shall keep"
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    proposed_by = person()
    proposed_at = models.DateTimeField(default=timezone.now)
    confirmed_by = person(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    code = models.CharField("code of the letter", max_length=19, blank=True)
    document = models.ForeignKey(Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    document_sha256 = models.CharField("hash of the letter (SHA-256)", max_length=64, blank=True)
    decision = models.ForeignKey(
        Decision, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="by which it was carried out"
    )

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="determination_four_eyes",
                condition=~Q(status="effective") | (Q(confirmed_by__isnull=False) & ~Q(confirmed_by=F("proposed_by"))),
                violation_error_message="A determination is confirmed by another person than the one who drafted it.",
            ),
            models.CheckConstraint(name="determination_printed", condition=~Q(status="effective") | (~Q(code="") & ~Q(document_sha256=""))),
            models.CheckConstraint(
                name="determination_limits",
                condition=~Q(outcome="varied") | Q(export_limit_kw__isnull=False) | Q(import_limit_kw__isnull=False),
            ),
            models.UniqueConstraint(fields=["dispute"], condition=~Q(status="rejected"), name="determination_one_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {self.dispute}"
