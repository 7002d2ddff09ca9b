"""Readiness as it is looked at: an aggregation as the sum of its members, and the last day of a DER."""

from datetime import timedelta

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from operations.telemetry.models import DerState, Reading
from operations.telemetry.queries import condition
from registry.aggregations.models import AggregationMember

DAY, MOST = timedelta(days=1), 2_000


def of_aggregations(keys: list[int]) -> dict[int, dict]:
    """What the present members of aggregations tell, by primary key: how many are ready, not available, not heard of and never heard
    of, and the power and room of those that are ready. A member counts once, whatever the services."""
    members = AggregationMember.objects.on(timezone.localdate()).filter(aggregation__in=keys)
    counted = {}
    for key in keys:
        ders = members.filter(aggregation=key).values("der").distinct()
        states = DerState.objects.filter(der__in=ders)
        told = _sums(states)
        total = ders.count()
        counted[key] = {"members": total, "silent": total - told["ready"] - told["unavailable"] - told["stale"], **told}
    return counted


def _sums(states: QuerySet) -> dict:
    """Counts by readiness, and kW of those that are ready."""
    kinds = [kind.value for kind in DerState.Readiness]
    counts = {kind: Count("pk", filter=condition(kind)) for kind in kinds}
    ready = condition(DerState.Readiness.READY)
    sums = {name: Sum(name, filter=ready, default=0.0) for name in ("p_kw", "up_kw", "down_kw")}
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in states.aggregate(**counts, **sums).items()}


def last_day(state: DerState) -> list[Reading]:
    """The readings of the day before the latest, of each moment the latest published, by time."""
    rows = Reading.objects.filter(Q(der=state.der_id), event_at__gt=state.event_at - DAY, event_at__lte=state.event_at)
    return list(reversed(rows.order_by("-event_at", "-published_at").distinct("event_at")[:MOST]))
