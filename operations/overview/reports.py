"""The answers, as the reader may see them: each a handful of sums."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from operations.envelopes.models import EnvelopeRun
from operations.forecasts.models import Forecast
from operations.interconnection.models import SettingsReadback
from operations.outages.models import DerOutage, GridEvent, LogEntry
from operations.outcomes.models import EnvelopeOutcome
from operations.telemetry.models import DerState, Reading, SubjectState, TelemetryCheck
from registry.ders.choices import DerType
from registry.ders.models import Der
from registry.grid.models import Feeder
from registry.intents.models import IntentPoint
from registry.prequalification.models import Qualification
from registry.submissions.models import StagedDer

MOST, WEEK = 12, timedelta(days=7)


@dataclass(frozen=True)
class Answer:
    """A question with its answer as a table: columns, and rows of as many values."""

    question: str
    columns: tuple[str, ...]
    rows: list[tuple]


@dataclass(frozen=True)
class Place:
    """A utility, or one of its feeders, as a reader sees it."""

    user: object
    edc: object
    feeder: Feeder | None = None

    def of(self, model, along: str = "", **more) -> QuerySet:
        """The reader's rows of a model at the place; `along` leads to the DER, or to what bears the feeder."""
        rows = model.objects.visible_to(self.user).filter(edc=self.edc, **more)
        return (rows.filter(**{f"{along}feeder": self.feeder}) if self.feeder else rows).order_by()


def answers(place: Place) -> list[Answer]:
    """All of them, in the order in which they are asked."""
    return [planned(place), registered(place), able(place), located(place), doing(place), did(place), ahead(place)]


def planned(place: Place) -> Answer:
    """Notices of intent and rows under review."""
    rows = place.of(IntentPoint, "service_point__").filter(notice__status__in=("sent", "answered"))
    told = [(f"{who}: announced", count, _kw(kw)) for who, count, kw in _by(rows, "aggregator__name")]
    waiting = place.of(StagedDer, "service_point__", status__in=("pending", "info_requested")).filter(change="new")
    filed = [(f"{who}: under review", count, _kw(kw)) for who, count, kw in _by(waiting, "aggregator__name")]
    return Answer("Who plans to take part?", ("Aggregator", "DERs", "Nameplate (kW)"), told + filed)


def _by(rows: QuerySet, *names: str) -> list[tuple]:
    counted = rows.values_list(*names).annotate(Count("pk"), kw=Sum("nameplate_ac_kw"))
    return list(counted.order_by("-kw", *names)[:MOST])


def _kw(value) -> float:
    return round(float(value or 0), 1)


def registered(place: Place) -> Answer:
    """DERs by technology."""
    labels = dict(DerType.choices)
    rows = [(labels.get(kind, kind), count, _kw(kw)) for kind, count, kw in _by(_ders(place), "der_type")]
    return Answer("What is registered?", ("Technology", "DERs", "Nameplate (kW)"), rows)


def _ders(place: Place) -> QuerySet:
    return place.of(Der, status__in=("approved", "active"))


def able(place: Place) -> Answer:
    """DERs that qualify, by service."""
    rows = place.of(Qualification, "der__", der__isnull=False)
    kinds = {"able": Count("pk", filter=Q(eligible=True)), "unable": Count("pk", filter=Q(eligible=False))}
    counted = rows.values_list("service__name").annotate(**kinds)
    return Answer("Able to which service?", ("Service", "Qualify", "Do not"), list(counted.order_by("service__name")))


def located(place: Place) -> Answer:
    """DERs by transformer of the feeder, or by feeder of the utility."""
    name = "service_point__transformer__code" if place.feeder else "feeder__code"
    rows = [(code or "not told", count, _kw(kw)) for code, count, kw in _by(_ders(place), name)]
    if len(rows) == MOST:
        whole = _ders(place).aggregate(n=Count("pk"), kw=Sum("nameplate_ac_kw"))
        rest = whole["n"] - sum(row[1] for row in rows), _kw(float(whole["kw"] or 0) - sum(row[2] for row in rows))
        rows += [("elsewhere", *rest)] if rest[0] else []
    return Answer("Where?", ("Transformer" if place.feeder else "Feeder", "DERs", "Nameplate (kW)"), rows)


def doing(place: Place) -> Answer:
    """What was last heard, by readiness, and how many never told; the heads of feeders; outages and events."""
    rows = []
    for readiness in DerState.Readiness:
        states = place.of(DerState, "der__").filter(pk__in=DerState.objects.with_readiness(readiness).values("pk"))
        found = states.aggregate(n=Count("pk"), p=Sum("p_kw"), up=Sum("up_kw"), down=Sum("down_kw"))
        rows.append((f"DERs: {readiness.label.lower()}", found["n"], *(_kw(found[name]) for name in ("p", "up", "down"))))
    rows.append(("DERs: never heard of", _ders(place).filter(state=None).count(), None, None, None))
    heads = place.of(SubjectState, feeder__isnull=False).aggregate(n=Count("pk"), p=Sum("p_kw"))
    rows.append(("Heads of feeders", heads["n"], _kw(heads["p"]), None, None))
    rows.append(("Out or derated", place.of(DerOutage, "der__", status="active").count(), None, None, None))
    rows.append(("Grid events", place.of(GridEvent, status="active").count(), None, None, None))
    sets = place.of(EnvelopeRun, status="published").filter(starts_at__lte=timezone.now(), ends_at__gt=timezone.now())
    rows.append(("Feeders with envelopes in force", sets.count(), None, None, None))
    rows += [(what, count, None, None, None) for what, count in _settings(place)]
    return Answer("Doing what now?", ("What", "Number", "Power (kW)", "Room up (kW)", "Room down (kW)"), rows)


def _settings(place: Place) -> list[tuple]:
    """DERs to whose inverters settings were issued, by what was last read back of them; nothing where none were."""
    last = SettingsReadback.objects.filter(der=OuterRef("pk")).order_by("-at").values("differences")[:1]
    found = _ders(place).filter(inverter_settings__isnull=False).annotate(other=Subquery(last))
    counted = found.aggregate(n=Count("pk"), none=Count("pk", filter=Q(other__isnull=True)), same=Count("pk", filter=Q(other=[])))
    if not counted["n"]:
        return []
    other = counted["n"] - counted["none"] - counted["same"]
    return [
        ("DERs: settings as issued", counted["same"]),
        ("DERs: other settings", other),
        ("DERs: settings not read back", counted["none"]),
    ]


def did(place: Place) -> Answer:
    """The last days: telemetry that was owed and came, what DERs injected and drew at most, and what happened to them."""
    now = timezone.now()
    since = now - WEEK
    checks = place.of(TelemetryCheck, "der__", day__gte=timezone.localdate(since), der__isnull=False)
    came = checks.aggregate(owed=Sum("owed"), delivered=Sum("delivered"))
    log = LogEntry.objects.visible_to(place.user).filter(edc=place.edc, at__gte=since)
    log = log.filter(feeder=place.feeder) if place.feeder else log
    rows = [
        *(_read(place) if place.feeder else ()),
        ("Intervals of telemetry owed, seven days", came["owed"]),
        ("of which delivered", came["delivered"]),
        *_held(place, since),
        ("Outages and derates that began, seven days", place.of(DerOutage, "der__", starts_at__gte=since, starts_at__lte=now).count()),
        ("Grid events that began, seven days", place.of(GridEvent, starts_at__gte=since, starts_at__lte=now).count()),
        ("Sets of envelopes published, seven days", place.of(EnvelopeRun, published_at__gte=since).count()),
        ("Acts in the operational log, seven days", log.order_by().count()),
    ]
    return Answer("What did they do?", ("What", "Value"), rows)


def _held(place: Place, since: datetime) -> list[tuple]:
    """What the sets of envelopes that were over since then held back; nothing where there were none, and of what nothing is known None."""
    names = ("curtailed_export_kwh", "estimated_kwh", "curtailed_import_kwh")
    sums = place.of(EnvelopeOutcome, ends_at__gte=since).aggregate(n=Count("pk"), **{f"sum_{name}": Sum(name) for name in names})
    if not sums["n"]:
        return []
    labels = (
        "Export curtailed by envelopes, seven days (kWh)",
        "of which estimated (kWh)",
        "Import curtailed by envelopes, seven days (kWh)",
    )
    return [(label, None if (kwh := sums[f"sum_{name}"]) is None else _kw(kwh)) for label, name in zip(labels, names, strict=True)]


def _read(place: Place) -> list[tuple]:
    """Readings of a feeder's last day; of a whole utility they would be too many to count on a page."""
    rows = place.of(Reading, "der__", event_at__gte=timezone.now() - timedelta(days=1))
    day = rows.aggregate(most=Max("p_kw"), least=Min("p_kw"), n=Count("pk"))
    return [
        ("Readings of the last day", day["n"]),
        ("Most that one DER injected (kW)", _kw(max(day["most"] or 0.0, 0.0))),
        ("Most that one DER drew (kW)", _kw(max(-(day["least"] or 0.0), 0.0))),
    ]


def ahead(place: Place) -> Answer:
    """The latest forecasts of today and tomorrow, summed: their largest import and export."""
    rows = []
    for kind, day in (("Today", timezone.localdate()), ("Tomorrow", timezone.localdate() + timedelta(days=1))):
        latest = Forecast.objects.filter(day=day).seen(timezone.now()).values("pk")
        found = list(place.of(Forecast, pk__in=latest).values_list("feeder_kw", flat=True))
        total = [sum(values) for values in zip(*found)] if found else []
        rows.append((kind, len(found), round(max(0.0, -min(total)), 1) if total else None, round(max(0.0, *total), 1) if total else None))
    return Answer("What is forecast?", ("Day", "Feeders", "Most import (kW)", "Most export (kW)"), rows)
