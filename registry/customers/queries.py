"""Which statements of personal use hold."""

from datetime import datetime

from django.db.models import Q

from moc.access.queries import ScopedQuerySet


class PersonalUseQuerySet(ScopedQuerySet):
    """What owners keep for themselves."""

    def standing(self) -> "PersonalUseQuerySet":
        """Not taken back."""
        return self.filter(ended_at=None)

    def opted_out(self, starts_at: datetime, ends_at: datetime) -> "PersonalUseQuerySet":
        """Opt-outs that touch an interval."""
        return self.standing().filter(Q(kind="opt_out"), starts_at__lt=ends_at, ends_at__gt=starts_at)
