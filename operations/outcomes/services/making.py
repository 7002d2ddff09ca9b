"""Make the outcomes of sets that are over."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.db.models import Case, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Least
from django.utils import timezone

from moc.history import acting
from operations.envelopes.models import EnvelopeRun
from operations.outcomes import reports
from operations.outcomes.engine import holding
from operations.outcomes.models import FIGURES, LINES, EnvelopeOutcome
from operations.reliability.services import bounds
from operations.telemetry.services import limits as telemetry

SYSTEM = "system: a set of envelopes is over"
# how long after a set was over its outcome is made, and made anew with what came late or was corrected; and when nobody looks any more
AFTER = (timedelta(hours=1), timedelta(days=1), timedelta(days=7), timedelta(days=30))
NO_MORE, AT_ONCE = timedelta(days=37), 1_000
KWH = [name for name in FIGURES if name.endswith("_kwh")]
WRITTEN = [field.name for field in EnvelopeOutcome._meta.concrete_fields if field.name not in ("id", "uuid", "run", "aggregator")]
Status = EnvelopeRun.Status


def make_due(now: datetime | None = None) -> int:
    """Make what is due, one transaction a set; idempotent. Of several that do it at a time each makes others. Returns of how many sets
    outcomes were made."""
    now, made = now or timezone.now(), 0
    for pk in list(due(now).values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            if due(now).filter(pk=pk).select_for_update(of=("self",), skip_locked=True).first():
                made += bool(make(pk, now))
    return made


def due(now: datetime) -> QuerySet:
    """Sets that were in force and are over, and whose outcome was not made since it last should have been; the oldest first."""
    last = EnvelopeRun.history.model.objects.filter(id=OuterRef("pk")).order_by("-history_date", "-history_id").values("history_date")[:1]
    ended = Q(status__in=(Status.SUPERSEDED, Status.DEACTIVATED))
    over = Case(When(ended, then=Least("ends_at", Subquery(last))), default="ends_at", output_field=DateTimeField())
    runs = EnvelopeRun.objects.filter(number__isnull=False, point_count__gt=0, starts_at__lt=now).annotate(over_at=over)
    runs = runs.filter(over_at__gt=F("starts_at")).filter(over_at__gt=F("published_at"))
    found = Q()
    for since, until in zip(AFTER, (*AFTER[1:], NO_MORE), strict=True):
        made = EnvelopeOutcome.objects.filter(run=OuterRef("pk"), made_at__gte=OuterRef("over_at") + since)
        found |= Q(over_at__lte=now - since, over_at__gt=now - until) & ~Exists(made)
    return runs.filter(found).order_by("over_at", "pk")


def make(pk: int, now: datetime | None = None) -> list[EnvelopeOutcome]:
    """Make the outcomes of one set, in place of what was made of it before; its versions keep that. None of one that was never in force."""
    now = now or timezone.now()
    with transaction.atomic(), acting(None, SYSTEM):
        run = EnvelopeRun.objects.select_for_update(of=("self",)).prefetch_related("blocks").get(pk=pk)
        spans = [(first, min(last, now)) for first, last in reports.spans_of(run) if first < now]
        found = _outcomes(run, spans, now) if spans and run.blocks.all() else []
        parties = {each.aggregator_id for each in found}
        kept = EnvelopeOutcome.objects.filter(run=run).values_list("pk", "aggregator")
        EnvelopeOutcome.objects.filter(pk__in=[key for key, party in kept if party not in parties]).delete()
        EnvelopeOutcome.objects.bulk_create(found, update_conflicts=True, unique_fields=["run", "aggregator"], update_fields=WRITTEN)
        return list(EnvelopeOutcome.objects.filter(run=run).order_by("pk"))


def _outcomes(run: EnvelopeRun, spans: list[reports.Span], now: datetime) -> list[EnvelopeOutcome]:
    law = telemetry.today()
    since, until = spans[0][0], spans[-1][1]
    facts, ders = reports.ders_of(run, timezone.localdate(since), (law.interval_s, law.stale_intervals))
    heard = reports.heard_of(run, facts, ders, since, until)
    limits = reports.limits_of(run, facts, bounds.of_a_look())
    seconds = [tuple((moment - run.starts_at).total_seconds() for moment in span) for span in spans]
    parts = [holding.found(heard, ders, limits, *span) for span in seconds]
    sums = {name: np.sum([getattr(found, name) for found, _ in parts], 0) for name in holding.Found._fields}
    lines = {name: np.sum([each[name] for _, each in parts], 0) for name in LINES}
    hours = sum(last - first for first, last in seconds) / 3600
    places = defaultdict(list)
    for place, each in enumerate(facts):
        places[each["aggregator"]].append(place)
    shared = {"run": run, "edc_id": run.edc_id, "feeder_id": run.feeder_id, "number": run.number, "made_at": now}
    window = {"starts_at": run.starts_at.isoformat(), "minutes": run.step_minutes}
    shared |= {"starts_at": since, "ends_at": until, "hours": round(hours, 3)}
    return [
        EnvelopeOutcome(aggregator_id=aggregator, **shared, **_told(facts, sums, np.array(own), hours), series=window | _course(lines, own))
        for aggregator, own in places.items()
    ]


def _course(lines: dict[str, np.ndarray], own: list[int]) -> dict[str, list[float]]:
    return {name: values[own].sum(0).round(3).tolist() for name, values in lines.items()}


def _told(facts: list[dict], sums: dict[str, np.ndarray], own: np.ndarray, hours: float) -> dict:
    """The columns of the outcome of some DERs, by their places."""
    figures = [_figures(facts[place], {name: float(values[place]) for name, values in sums.items()}) for place in own.tolist()]
    heard_h = sums["heard_s"][own] / 3600
    return {
        "ders": len(own),
        "heard": int((heard_h > 0).sum()),
        "beyond": int((sums["beyond"][own] > 0).sum()),
        "readings": int(sums["readings"][own].sum()),
        "heard_percent": round(100 * float(heard_h.sum()) / (len(own) * hours), 1),
        "unknown_hours": round(sum(each["unknown_hours"] for each in figures), 2),
        **{name: _sum(each[name] for each in figures) for name in KWH},
        "figures": [list(each.values()) for each in figures],
    }


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return round(sum(known), 3) if known else None


def _figures(der: dict, sums: dict[str, float]) -> dict:
    """FIGURES of one DER: energy is None where nothing was heard, and where it stood at a limit and nothing tells what it could do."""
    heard = sums["heard_s"] > 0
    held = {"import": sums["held_import_kwh"], "export": sums["held_export_kwh"] + sums["estimated_kwh"]}
    known = {way: heard and (kwh > 0 or not sums[f"unknown_{way}_s"]) for way, kwh in held.items()}
    told = {
        "der": str(der["uuid"]),
        "external_id": der["external_id"],
        "kept": sums["beyond"] == 0 if sums["judged"] else None,
        **{name: int(sums[name]) for name in ("readings", "judged", "beyond")},
        "heard_hours": round(sums["heard_s"] / 3600, 2),
        **{f"{way}_kwh": round(sums[f"{way}_kwh"], 3) if heard else None for way in held},
        **{f"curtailed_{way}_kwh": round(kwh, 3) if known[way] else None for way, kwh in held.items()},
        **{f"operator_{way}_kwh": round(sums[f"operator_{way}_kwh"], 3) if known[way] else None for way in held},
        "estimated_kwh": round(sums["estimated_kwh"], 3) if known["export"] else None,
        "storage_kwh": round(sums["storage_kwh"], 3) if heard else None,
        "unknown_hours": round((sums["unknown_import_s"] + sums["unknown_export_s"]) / 3600, 2),
    }
    return {name: told[name] for name in FIGURES}
