"""RuleSet rows: effective-dated numbers and switches of the law; and changes of them that are being prepared."""

import uuid

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, Q
from django.utils import timezone

from moc.access.models import Organization
from moc.access.queries import ScopedQuerySet
from moc.errors import UserError
from moc.history import Versions
from moc.lifecycle import Lifecycle, Transition
from moc.rulesets.kinds import check


class RuleSetQuerySet(ScopedQuerySet):
    """Which value of the law is in force."""

    def on(self, day) -> "RuleSetQuerySet":
        """The rows in force on a day."""
        return self.filter(valid_during__contains=day)

    def row_of(self, key: str, day, *authorities: str) -> "RuleSet":
        """The row of `key` in force on `day` of the first authority that has one ('' is the default for all).

        Raises LookupError naming the key: a missing number is never guessed.
        """
        found = {row.authority: row for row in self.on(day).filter(key=key, authority__in=[*authorities, ""])}
        for authority in [*authorities, ""]:
            if authority in found:
                return found[authority]
        raise LookupError(f"No rule set row for {key} on {day} (authorities: {', '.join(authorities) or 'default'}). Add one in the admin.")

    def value_of(self, key: str, day, *authorities: str):
        """The value of that row, as JSON type."""
        return self.row_of(key, day, *authorities).value


class RuleSet(models.Model):
    """One number, switch or text of the law: `key`, for an authority (RTO or RERRA slug; empty = default), during a period of days."""

    access_paths = ("PUBLIC",)

    key = models.SlugField(max_length=80)
    authority = models.SlugField(max_length=50, blank=True, help_text="market or regulator; empty: the default for all")
    value = models.JSONField()
    unit = models.CharField(max_length=30, blank=True)
    valid_during = DateRangeField(help_text="days on which this value is in force, half open")
    source = models.TextField(help_text="where the value is from")
    verified = models.BooleanField(default=False, help_text="a person has checked it against the tariff")

    objects = RuleSetQuerySet.as_manager()
    history = Versions(fed=True)

    class Meta:
        ordering = ["key", "authority", "valid_during"]
        verbose_name = "rule set"
        constraints = [
            ExclusionConstraint(
                name="ruleset_one_value_a_day",
                expressions=[("key", RangeOperators.EQUAL), ("authority", RangeOperators.EQUAL), ("valid_during", RangeOperators.OVERLAPS)],
                violation_error_message="Another value of this key and authority is in force on some of these days.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.authority} = {self.value} {self.unit}".strip()

    def clean(self) -> None:
        """A value is of its key's type (moc.rulesets.kinds)."""
        try:
            check(self.key, self.value)
        except UserError as refusal:
            raise ValidationError({"value": str(refusal)}) from refusal


class RuleChange(models.Model):
    """A row that an authority prepares: drafted by one person, looked at beforehand, put in force by another from a day on.

    `organization` is who asks for it: an RTO or a regulator for rows of its own authority (its slug), the operator for any.
    """

    access_paths = ("organization", "OPERATOR")

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        SCHEDULED = "scheduled", "Scheduled"
        WITHDRAWN = "withdrawn", "Withdrawn"

    lifecycle = Lifecycle(
        Transition("schedule", (Status.DRAFT,), Status.SCHEDULED, "set_law"),
        Transition("withdraw", (Status.DRAFT,), Status.WITHDRAWN, "set_law", danger=True),
        initial=(Status.DRAFT,),
    )

    uuid = models.UUIDField("change id", default=uuid.uuid4, unique=True, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", verbose_name="asked for by")
    key = models.SlugField(max_length=80)
    authority = models.SlugField(max_length=50, blank=True, help_text="market or regulator; empty: the default for all")
    value = models.JSONField()
    unit = models.CharField(max_length=30, blank=True)
    source = models.TextField(help_text="where the value is from: order, tariff, docket")
    starts_on = models.DateField("in force from")
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField(default=timezone.now)
    scheduled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    row = models.ForeignKey(RuleSet, null=True, blank=True, on_delete=models.PROTECT, related_name="changes")

    objects = ScopedQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "rule change"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="rule_change_four_eyes",
                condition=~Q(scheduled_by=F("drafted_by")),
                violation_error_message="Another person puts a change in force.",
            ),
            models.CheckConstraint(
                name="rule_change_scheduled",
                condition=(Q(status="scheduled") & Q(row__isnull=False) & Q(scheduled_by__isnull=False)) | ~Q(status="scheduled"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.authority} = {self.value} {self.unit}".strip()

    def as_row(self) -> RuleSet:
        """The row that it would put in force, not saved."""
        names = ("key", "authority", "value", "unit", "source")
        return RuleSet(**{name: getattr(self, name) for name in names}, valid_during=DateRange(self.starts_on, None), verified=True)
