"""Readiness as it is looked at: DERs with what their owners keep, an aggregation as the sum of its members, and the last day."""

from datetime import timedelta
from decimal import Decimal

from django.db.models import QuerySet
from django.utils import timezone

from moc.bulk import fetch_sql
from operations.telemetry.models import DerState, Reading, SubjectReading, SubjectState, readiness
from operations.telemetry.queries import DELIVERING
from registry.aggregations.models import AggregationMember
from registry.customers.models import PersonalUse

DAY, MOST = timedelta(days=1), 2_000
TOLD = ("members", "ready", "kept", "unavailable", "stale", "silent", "p_kw", "up_kw", "down_kw")


def reserves(ders) -> dict[int, Decimal]:
    """The reserve (%) that owners keep of DERs, by the DER's key."""
    found = PersonalUse.objects.standing().filter(kind=PersonalUse.Kind.RESERVE, der__in=ders)
    return dict(found.values_list("der_id", "reserve_percent"))


def respecting(rows: list[dict]) -> list[dict]:
    """Rows of DERs' states (with pk) as their owners let them be used: with `readiness`, and without room up below the reserve."""
    states = {state.pk: state for state in DerState.objects.filter(pk__in=[row["pk"] for row in rows])}
    ders = [state.der_id for state in states.values()]
    kept, kept_back = set(DerState.kept_ders().filter(der__in=ders).values_list("der", flat=True)), reserves(ders)
    return [row | _respecting(states[row["pk"]], kept, kept_back) for row in rows if row["pk"] in states]


def _respecting(state: DerState, kept: set[int], kept_back: dict[int, Decimal]) -> dict:
    found = readiness(state.stale_at, state.operating, state.der_id in kept)
    return {"readiness": found.value, "up_kw": usable_up_kw(state, kept_back.get(state.der_id))}


def usable_up_kw(state: DerState, reserve: Decimal | None) -> float | None:
    """The room up (kW) that the owner's reserve leaves: none once the charge has come down to it."""
    at_reserve = reserve is not None and state.soc_percent is not None and state.soc_percent <= reserve
    return 0.0 if at_reserve and state.up_kw is not None else state.up_kw


def of_aggregations(keys: list[int]) -> dict[int, dict]:
    """What the present members of aggregations tell, by primary key: how many are ready, kept by their owners, not available, not heard
    of and never heard of, and the power and room of those that are ready. A member counts once, whatever the services."""
    ders = AggregationMember.objects.on(timezone.localdate()).filter(aggregation__in=keys).values("der")
    kept_back = reserves(ders)
    params = {
        "aggregations": keys,
        "day": timezone.localdate(),
        "delivering": list(DELIVERING),
        "kept": list(DerState.kept_ders().filter(der__in=ders).values_list("der", flat=True)),
        "reserved": list(kept_back),
        "reserves": [float(percent) for percent in kept_back.values()],
    }
    told = {key: dict(zip(TOLD, values, strict=True)) for key, *values in fetch_sql("aggregated", params)}
    return {key: told.get(key, dict.fromkeys(TOLD, 0)) for key in keys}


def last_day(state: DerState) -> list[Reading]:
    """The readings of the day before the latest, of each moment the latest published, by time."""
    return _day(Reading.objects.filter(der=state.der_id), state)


def last_day_of(state: SubjectState) -> list[SubjectReading]:
    """The same of a subject that is no DER."""
    return _day(SubjectReading.objects.filter(**state.names), state)


def _day(rows: QuerySet, state: DerState | SubjectState) -> list:
    rows = rows.filter(event_at__gt=state.event_at - DAY, event_at__lte=state.event_at)
    return list(reversed(rows.order_by("-event_at", "-published_at").distinct("event_at")[:MOST]))
