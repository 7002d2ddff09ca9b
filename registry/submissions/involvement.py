"""A regulator's voluntary part in a utility's review (¶322): a comment within days, or the answer to a named question; on the record."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition
from registry.submissions.models import UtilityReview


class RegulatorPart(models.Model):
    """What a regulator may say of one review until a day. A comment binds nobody; the answer to a named question binds the utility.

    Utility and aggregator see it from the start, with its clock: nothing waits for the regulator longer than that.
    """

    access_paths = ("rerra", "edc", "aggregator")

    class Status(models.TextChoices):
        OPEN = "open", "Waits for the regulator"
        ANSWERED = "answered", "Answered"
        LAPSED = "lapsed", "No answer in time"

    lifecycle = Lifecycle(
        Transition("answer", (Status.OPEN,), Status.ANSWERED, "override_qualification", needs_reason=True),
        Transition("lapse", (Status.OPEN,), Status.LAPSED, None),
        initial=(Status.OPEN,),
    )

    uuid = models.UUIDField("part id", default=uuid.uuid4, unique=True, editable=False)
    review = models.ForeignKey(UtilityReview, on_delete=models.PROTECT, related_name="regulator_parts", db_index=False)
    rerra = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="regulator")
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="utility")
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    question = models.SlugField(max_length=30, blank=True, help_text="code of a question that the regulator decides; empty: a comment")
    text = models.CharField("asked", max_length=300)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    due_at = models.DateTimeField("until")
    allows = models.BooleanField("participation may go on", null=True, blank=True, help_text="of a question")
    statement = models.TextField(blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "part of a regulator"
        verbose_name_plural = "parts of regulators"
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["review", "rerra", "question"], name="regulator_part_once"),
            models.CheckConstraint(
                name="regulator_says_why",
                condition=~Q(status="answered") | ~Q(statement="") & (Q(question="") | Q(allows__isnull=False)),
                violation_error_message="A regulator says yes or no to a question, and why.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rerra}: {self.text}"

    @property
    def is_running(self) -> bool:
        """Whether the regulator may still answer."""
        return self.status == self.Status.OPEN and self.due_at > timezone.now()
