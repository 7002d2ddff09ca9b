"""Changes of members of registered aggregations: what is asked for, DER by DER, and the RTO's part where its rule set has one (¶336)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition
from registry.aggregations.models import Aggregation
from registry.catalogue.models import GridService
from registry.ders.models import Der
from registry.submissions.models import Submission


class StagedMember(models.Model):
    """A DER that shall join for a service, or leave: days half open; a leaving one has no first day. Decided with its row of the filing.

    Kept as it was asked for: what became of it are the memberships.
    """

    access_paths = ("aggregator", "edc")
    access_conditions = {"edc": Q(submission__submitted_at__isnull=False)}

    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="members", db_index=False)
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="utility")
    der = models.ForeignKey(Der, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False, verbose_name="DER")
    service = models.ForeignKey(GridService, on_delete=models.PROTECT, related_name="+", db_index=False)
    share_percent = models.DecimalField("share of capacity (%)", max_digits=6, decimal_places=3, default=100)
    starts_on = models.DateField("from", null=True, blank=True)
    ends_on = models.DateField("until", null=True, blank=True, help_text="the first day without it")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "filed member"
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["submission", "der", "service"], name="staged_member_once")]

    def __str__(self) -> str:
        return f"{self.der} for {self.service}"


class MemberValidation(models.Model):
    """The RTO validates who joins one of its aggregations, after the utilities, where a row of the law of its market says so.

    `figures` are the DERs by technology: [{technology, ders, kw}]. Until it is validated they are no members; the others go on.
    """

    access_paths = ("tso", "aggregator")

    class Status(models.TextChoices):
        OPEN = "open", "Waits for the RTO"
        VALIDATED = "validated", "Validated"
        DENIED = "denied", "Denied"

    lifecycle = Lifecycle(
        Transition("validate", (Status.OPEN,), Status.VALIDATED, "validate_aggregations"),
        Transition("deny", (Status.OPEN,), Status.DENIED, "validate_aggregations", danger=True),
        initial=(Status.OPEN,),
    )

    uuid = models.UUIDField("validation id", default=uuid.uuid4, unique=True, editable=False)
    submission = models.OneToOneField(Submission, on_delete=models.PROTECT, related_name="validation")
    aggregation = models.ForeignKey(Aggregation, on_delete=models.PROTECT, related_name="+")
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    tso = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="RTO")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    row_count = models.PositiveIntegerField("DERs")
    figures = models.JSONField(default=list)
    due_at = models.DateTimeField("to be decided by")
    escalated_at = models.DateTimeField("overdue since", null=True, blank=True)
    rule = models.CharField("broken rule", max_length=60, blank=True)
    statement = models.TextField(blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "validation of members"
        verbose_name_plural = "validations of members"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="member_denial_has_rule",
                condition=~Q(status="denied") | ~Q(rule=""),
                violation_error_message="A denial names the rule that would be broken.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.row_count} DERs join {self.aggregation}"
