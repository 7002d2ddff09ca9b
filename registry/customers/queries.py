"""Which statements of personal use hold."""

from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from moc.access.queries import ScopedQuerySet


class PersonalUseQuerySet(ScopedQuerySet):
    """What owners keep for themselves."""

    def standing(self) -> "PersonalUseQuerySet":
        """Not taken back."""
        return self.filter(ended_at=None)

    def barring(self, at: datetime) -> "PersonalUseQuerySet":
        """Those by which a DER stays out at a moment: its hours of the week are going on, or the event of an opt-out."""
        local = timezone.localtime(at)
        clock, today, yesterday = local.time(), [local.isoweekday()], [(local - timedelta(days=1)).isoweekday()]
        day = Q(from_time__lt=F("until_time"), from_time__lte=clock, until_time__gt=clock, weekdays__contains=today)
        evening = Q(from_time__gt=F("until_time"), from_time__lte=clock, weekdays__contains=today)
        night = Q(from_time__gt=F("until_time"), until_time__gt=clock, weekdays__contains=yesterday)
        return self.standing().filter(Q(kind="blackout") & (day | evening | night) | Q(kind="opt_out", starts_at__lte=at, ends_at__gt=at))

    def opted_out(self, starts_at: datetime, ends_at: datetime) -> "PersonalUseQuerySet":
        """Opt-outs that touch an interval."""
        return self.standing().filter(Q(kind="opt_out"), starts_at__lt=ends_at, ends_at__gt=starts_at)
