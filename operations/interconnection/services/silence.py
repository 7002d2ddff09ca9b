"""DERs with issued settings that nobody read back in time: a case for each period that went by without a reading."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.utils import timezone

from moc import sight
from operations.interconnection.models import SettingsReadback
from operations.reliability.models import ReliabilityFinding
from operations.reliability.reports import Case
from operations.reliability.services import findings as reliability
from registry.ders.models import Der
from registry.prequalification.rules.numbers import Numbers
from registry.submissions.models import Decision

KEY, WORDS = "readback_days", "days in which no settings were read back"


@sight.engine()
def look(now: datetime | None = None) -> int:
    """Find them; returns how many findings are new. Idempotent: a period that went by is one case."""
    return reliability.keep(ReliabilityFinding.Rule.UNREAD, list(unread(now or timezone.now())))


def owing() -> QuerySet[Der]:
    """DERs in service with settings that a decision issued, with `issued_at` and `read_at` (of the last reading, or None)."""
    filed = {"rows__aggregator": OuterRef("aggregator"), "rows__external_id": OuterRef("external_id")}
    issuing = Decision.objects.filter(status=Decision.Status.EFFECTIVE, inverter_settings__isnull=False, **filed)
    read = SettingsReadback.objects.filter(der=OuterRef("pk")).order_by().values("der").annotate(last=Max("at")).values("last")
    rows = Der.objects.filter(status=Der.Status.ACTIVE, inverter_settings__isnull=False, aggregator__isnull=False)
    return rows.annotate(issued_at=Subquery(issuing.order_by("-decided_at").values("decided_at")[:1]), read_at=Subquery(read))


def _start(day: date) -> datetime:
    """Where the filing that issued them is kept no longer: they have stood since the DER was registered at the earliest."""
    return timezone.make_aware(datetime.combine(day, time.min))


def unread(now: datetime) -> Iterator[Case]:
    """A case of each DER of which the last period since it was issued or read went by; at the moment at which it was over."""
    law, periods = Numbers.on(timezone.localdate(now)), {}
    for der, edc, registered_on, issued_at, read_at in (
        owing().values_list("pk", "edc", "registered_on", "issued_at", "read_at").order_by("pk").iterator()
    ):
        if edc not in periods:
            periods[edc] = law.of_utility([KEY], edc)[KEY]
        days, since = periods[edc], max(filter(None, (issued_at, read_at)), default=_start(registered_on))
        whole = int((now - since) / timedelta(days=float(days))) if days else 0
        if whole:
            at = since + whole * timedelta(days=float(days))
            yield Case(der, at, round((at - since) / timedelta(days=1), 1), float(days), WORDS)
