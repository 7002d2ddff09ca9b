"""RuleSet rows: effective-dated numbers and switches of the law."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models

from moc.access.queries import ScopedQuerySet
from moc.history import Versions


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
    history = Versions()

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
