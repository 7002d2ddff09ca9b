"""The law as it stands on a day, read once: what rules over many rows take their numbers from."""

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from moc.rulesets.kinds import NONE
from moc.rulesets.models import RuleSet


@dataclass(frozen=True)
class Law:
    """Every row in force on a day, by (key, authority)."""

    day: date
    rows: dict[tuple[str, str], RuleSet]

    @classmethod
    def on(cls, day: date) -> "Law":
        """The law of a day; one query."""
        return cls.of(day, RuleSet.objects.all())

    @classmethod
    def of(cls, day: date, rows: QuerySet) -> "Law":
        """The law of a day by some rows: those that stand, or versions of a past moment."""
        return cls(day, {(row.key, row.authority): row for row in rows.filter(valid_during__contains=day)})

    def amended(self, row: RuleSet) -> "Law":
        """The same law with one row in the place of what was there: a change before it is made."""
        return Law(self.day, self.rows | {(row.key, row.authority): row})

    def chain(self, *authorities: str) -> list[str]:
        """The authorities to ask in turn: each, the pack that it adopts, then the default for all."""
        asked: list[str] = []
        for authority in authorities:
            pack = self.rows.get(("pack", authority))
            asked += [authority, *([pack.value] if pack else [])]
        return [*dict.fromkeys(asked), ""]

    def row(self, key: str, *authorities: str) -> RuleSet | None:
        """The first row of `key` along the chain; None where nobody says anything."""
        return next((self.rows[key, each] for each in self.chain(*authorities) if (key, each) in self.rows), None)

    def value(self, key: str, *authorities: str):
        """Its value; None where nobody says anything, or where a row says that there is no limit."""
        row = self.row(key, *authorities)
        return None if row is None or row.value == NONE else row.value

    def all(self, key: str, *authorities: str) -> list[RuleSet]:
        """Every row of `key` along the chain, for what adds up instead of replacing (conflicts of retail programs)."""
        return [self.rows[key, each] for each in self.chain(*authorities) if (key, each) in self.rows]
