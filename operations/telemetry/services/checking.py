"""Who owes telemetry, how often and what; and what came of it on a day, for all of them in three statements."""

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from moc import sight
from moc.bulk import run_sql, take_room
from moc.rulesets.law import Law
from operations.telemetry.models import TelemetryCheck
from registry.aggregations.choices import Purpose
from registry.aggregations.models import Aggregation, AggregationMember
from registry.ders.models import Der

NUMBERS = ("interval_s", "late_s", "sum_interval_s", "sum_tolerance_percent")


def owing(law: Law) -> dict[int, float]:
    """The aggregations that owe telemetry, of themselves and of their members, with the shortest interval (s) of their services.

    They take part in a market, or serve a utility, which no RTO validates; and they offer a service that asks for telemetry at every size,
    or are of a size from which all do."""
    begun = Q(status=Aggregation.Status.REGISTERED) & (Q(effective_on=None) | Q(effective_on__lte=law.day))
    asked = Aggregation.objects.filter(begun | Q(purpose=Purpose.DISTRIBUTION, status=Aggregation.Status.SUBMITTED))
    sizes = _sizes(law.day)
    found = {}
    for key, tso, services in asked.values_list("pk", "tso__slug", "services"):
        authorities = (tso,) if tso else ()
        least, always = law.value("telemetry_from_kw", *authorities), law.value("telemetry_services", *authorities) or ()
        if set(services) & set(always) or (least is not None and sizes.get(key, 0) >= least):
            cadences = law.value("telemetry_cadence_s", *authorities)
            found[key] = float(min(cadences.get(service, cadences["*"]) for service in services or ["*"]))
    return found


def _sizes(day: date) -> dict[int, float]:
    """The nameplate (kW) that each aggregation has for the largest of its services."""
    rows = AggregationMember.objects.on(day).filter(der__status=Der.Status.ACTIVE).values_list("aggregation", "service")
    found: dict[int, float] = {}
    for key, _, kw in rows.annotate(kw=Sum("der__nameplate_ac_kw", default=Decimal(0))):
        found[key] = max(found.get(key, 0.0), float(kw))
    return found


@sight.engine()
@transaction.atomic
def check(day: date) -> int:
    """Check a local day, as far as it is over; what an earlier check of it found is replaced. Returns how many subjects owed."""
    take_room()
    law = Law.on(day)
    start = timezone.make_aware(datetime.combine(day, time.min))
    end = min(timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min)), timezone.now())
    TelemetryCheck.objects.filter(day=day).delete()
    found = owing(law)
    if not found or end <= start:
        return 0
    numbers = {name: float(law.value(f"telemetry_{name}")) for name in NUMBERS}
    params = numbers | {"day": day, "start": start, "end": end, "points": json.dumps(law.value("telemetry_points"))}
    params |= {"aggregations": list(found), "cadences": list(found.values())}
    return run_sql("check_aggregations", params) + run_sql("check_ders", params)


def check_due() -> None:
    """Today so far, and yesterday: what came late counts too."""
    today = timezone.localdate()
    for day in (today - timedelta(days=1), today):
        check(day)
