"""Which retail programs."""

from datetime import date

from registry.participants.queries import DatedQuerySet


class ProgramQuerySet(DatedQuerySet):
    """Programs by whether their terms hold."""

    def approved(self) -> "ProgramQuerySet":
        """Put in force by a second person, whichever days they hold."""
        return self.filter(status="in_force")

    def in_force(self, day: date) -> "ProgramQuerySet":
        """The terms that hold on a day."""
        return self.approved().on(day)
