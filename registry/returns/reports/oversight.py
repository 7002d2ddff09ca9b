"""What a regulator asks of reviews and programs: rates by aggregator with their confidence, migrations of net metering, opt-ins."""

from collections.abc import Iterable
from datetime import date, datetime, time
from math import sqrt

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.reports.datasets import BOOLEAN, DATE, DECIMAL, FLOAT, INTEGER, PERMISSION, Head, Result, recorded
from registry.ders.models import Der
from registry.jurisdictions.models import Affiliation
from registry.participants.models import UtilityProfile
from registry.prequalification.rules.numbers import Numbers
from registry.submissions.models import StagedDer

Z = 1.959963984540054  # of 95 percent, two-sided
DECIDED = ("approved", "approved_limited", "deemed_approved", "denied")


def wilson(part: int, whole: int, z: float = Z) -> tuple[float, float]:
    """The Wilson score interval of a proportion, in percent: it holds for few cases and for rates near 0 (Wilson, 1927)."""
    if whole == 0:
        return 0.0, 100.0
    share, square = part / whole, z * z
    middle = share + square / (2 * whole)
    spread = z * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    low, high = (middle - spread) / (1 + square / whole), (middle + spread) / (1 + square / whole)
    return 100 * max(0.0, low), 100 * min(1.0, high)


def rates(user, asked: dict) -> Result:
    """Denials, limits and delays of decided DERs, by utility and aggregator; affiliates of the utility are marked (¶292).

    Delayed is what was decided after the clock of the review had ended.
    """
    first, last = _moments(asked["first"], asked["last"])
    rows = policy.scope(StagedDer.objects.all(), user, PERMISSION)
    rows = rows.filter(status__in=DECIDED, decision__decided_at__gte=first, decision__decided_at__lt=last)
    late = Q(decision__decided_at__gt=F("decision__review__due_at"))
    counted = (
        rows.order_by()
        .values("edc_id", "aggregator_id")
        .annotate(
            decided=Count("pk"),
            denied=Count("pk", filter=Q(status="denied")),
            limited=Count("pk", filter=Q(status="approved_limited")),
            delayed=Count("pk", filter=late),
        )
    )
    found = list(counted.values_list("edc_id", "aggregator_id", "decided", "denied", "limited", "delayed"))
    names = dict(Organization.objects.filter(pk__in={pk for row in found for pk in row[:2]}).values_list("pk", "name"))
    affiliates = set(Affiliation.objects.on(asked["last"]).values_list("edc_id", "aggregator_id"))
    heads = [Head("Utility"), Head("Aggregator"), Head("Affiliate of the utility", BOOLEAN), Head("Decided DERs", INTEGER)]
    for what in ("Denied", "Limited", "Delayed"):
        heads += [Head(what, INTEGER), *(Head(f"{what}, {part}", FLOAT) for part in ("%", "95% from", "95% to"))]
    lines = [_rates(row, names, (row[0], row[1]) in affiliates) for row in found]
    return Result(heads, sorted(lines, key=lambda line: (line[0], line[1])), ("Intervals are Wilson's, of 95 %.",))


def _rates(row: tuple, names: dict, affiliate: bool) -> list:
    edc, aggregator, decided, *parts = row
    line = [names[edc], names[aggregator], affiliate, decided]
    for part in parts:
        low, high = wilson(part, decided)
        line += [part, round(100 * part / decided, 2), round(low, 2), round(high, 2)]
    return line


def _moments(first: date, last: date) -> tuple[datetime, datetime]:
    """The moments between which both days lie, in the state's zone."""
    begins, ends = (timezone.make_aware(datetime.combine(day, time.min)) for day in (first, last + timezone.timedelta(days=1)))
    return begins, ends


def migrations(user, asked: dict) -> Result:
    """DERs whose interconnection kind or retail programs changed, by month, utility, and what they were before and after."""
    first, last = _moments(asked["first"], asked["last"])
    if asked.get("as_of"):
        last = min(last, _moments(asked["as_of"], asked["as_of"])[1])  # versions are only added: what was recorded by then
    versions = Der.history.model.objects
    before = versions.filter(id=OuterRef("id"), history_date__lt=OuterRef("history_date")).order_by("-history_date", "-history_id")
    changed = policy.scope(versions.all(), user, PERMISSION).filter(history_type="~", history_date__gte=first, history_date__lt=last)
    changed = changed.annotate(
        was=Subquery(before.values("retail_programs")[:1]), was_kind=Subquery(before.values("interconnection_kind")[:1])
    )
    moved = changed.filter(~Q(was=F("retail_programs")) | ~Q(was_kind=F("interconnection_kind")))
    cut = moved.order_by().values(
        "edc_id", "was", "was_kind", month=TruncMonth("history_date"), now=F("retail_programs"), now_kind=F("interconnection_kind")
    )
    counted = cut.annotate(ders=Count("pk"), kw=Sum("nameplate_ac_kw"))
    columns = ("month", "edc_id", "was", "was_kind", "now", "now_kind", "ders", "kw")
    found = list(counted.values_list(*columns))
    names = dict(Organization.objects.filter(pk__in={row[1] for row in found}).values_list("pk", "name"))
    kinds = dict(Der._meta.get_field("interconnection_kind").flatchoices)
    lines = [
        [month.date(), names[edc], _programs(was), kinds.get(was_kind, ""), _programs(now), kinds.get(now_kind, ""), ders, kw]
        for month, edc, was, was_kind, now, now_kind, ders, kw in found
    ]
    heads = [Head("Month", DATE), Head("Utility"), Head("Programs before"), Head("Interconnection before"), Head("Programs after")]
    heads += [Head("Interconnection after"), Head("DERs", INTEGER), Head("Nameplate AC (kW)", DECIMAL)]
    return Result(heads, sorted(lines, key=lambda line: [str(part) for part in line[:6]]))


def _programs(codes: Iterable[str] | None) -> str:
    return ", ".join(sorted(codes or ())) or "none"


def opt_ins(user, asked: dict) -> Result:
    """Each utility with its sales and the regulator's word: small utilities take part by opt-in, demand response unless opted out."""
    numbers = Numbers.on(asked["day"], lambda model: recorded(model, asked))
    profiles = recorded(UtilityProfile, asked).select_related("edc", "tso").order_by("edc__name")
    heads = [Head("Utility"), Head("RTO"), Head("Sales (MWh)", DECIMAL), Head("Sales of", INTEGER), Head("Small", BOOLEAN)]
    heads += [Head("Opt-in of the regulator", BOOLEAN), Head("Customers may take part", BOOLEAN)]
    heads += [Head("Demand response opted out", BOOLEAN), Head("Asked of")]
    return Result(heads, [_opt_in(profile, numbers) for profile in profiles])


def _opt_in(profile: UtilityProfile, numbers: Numbers) -> list:
    authorities = numbers.authorities["edc_id"].get(profile.edc_id, ())
    limit = numbers.law.value("small_utility_mwh", *authorities)
    small = profile.annual_mwh is not None and limit is not None and profile.annual_mwh <= limit
    let_in = bool(numbers.law.value("small_utility_opt_in", *authorities))
    line = [profile.edc.name, str(profile.tso or ""), profile.annual_mwh, profile.annual_mwh_year, small, let_in, let_in or not small]
    return [*line, bool(numbers.law.value("dr_opt_out", *authorities)), ", ".join(authorities)]
