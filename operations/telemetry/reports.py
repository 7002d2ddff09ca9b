"""Readiness as it is looked at: DERs with what their owners keep, an aggregation as the sum of its members, and the last day."""

from datetime import timedelta
from decimal import Decimal

from django.db.models import QuerySet
from django.utils import timezone

from moc.bulk import fetch_sql
from operations.outages.models import DerOutage
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


def left(ders) -> dict[int, float]:
    """What DERs that are out or derated can still inject (kW), by the DER's key: 0 of those that are out."""
    running = DerOutage.objects.filter(status=DerOutage.Status.ACTIVE, der__in=ders)
    return {der: float(kw) for der, kw in running.values_list("der", "available_kw")}


def respecting(rows: list[dict]) -> list[dict]:
    """Rows of DERs' states (with pk) as they may be used: with `readiness`, and the room that outages and owners leave."""
    states = {state.pk: state for state in DerState.objects.filter(pk__in=[row["pk"] for row in rows])}
    ders = [state.der_id for state in states.values()]
    kept = set(DerState.kept_ders().filter(der__in=ders).values_list("der", flat=True))
    kept_back, still = reserves(ders), left(ders)
    return [row | _respecting(states[row["pk"]], kept, kept_back, still) for row in rows if row["pk"] in states]


def _respecting(state: DerState, kept: set[int], kept_back: dict[int, Decimal], still: dict[int, float]) -> dict:
    able = still.get(state.der_id)
    found = readiness(state.stale_at, state.operating, kept=state.der_id in kept, out=able == 0)
    up, down = usable_up_kw(state, kept_back.get(state.der_id), able), usable_down_kw(state, able)
    return {"readiness": found.value, "up_kw": up, "down_kw": down}


def usable_up_kw(state: DerState, reserve: Decimal | None, able: float | None = None) -> float | None:
    """The room up (kW) that an outage and the owner's reserve leave: up to what the DER can still inject (able; None: all that it could),
    and none once the charge has come down to the reserve."""
    room = state.up_kw
    if room is not None and able is not None and state.p_kw is not None:
        room = min(room, max(0.0, able - state.p_kw))
    at_reserve = reserve is not None and state.soc_percent is not None and state.soc_percent <= reserve
    return 0.0 if at_reserve and room is not None else room


def usable_down_kw(state: DerState, able: float | None) -> float | None:
    """The room down (kW) that an outage leaves: none of a DER that is out."""
    return 0.0 if able == 0 and state.down_kw is not None else state.down_kw


def of_aggregations(keys: list[int]) -> dict[int, dict]:
    """What the present members of aggregations tell, by primary key: how many are ready, kept by their owners, not available, not heard
    of and never heard of, and the power and room of those that are ready. A member counts once, whatever the services."""
    ders = AggregationMember.objects.on(timezone.localdate()).filter(aggregation__in=keys).values("der")
    kept_back, still = reserves(ders), left(ders)
    params = {
        "aggregations": keys,
        "day": timezone.localdate(),
        "delivering": list(DELIVERING),
        "kept": list(DerState.kept_ders().filter(der__in=ders).values_list("der", flat=True)),
        "reserved": list(kept_back),
        "reserves": [float(percent) for percent in kept_back.values()],
        "limited": list(still),
        "left": list(still.values()),
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
