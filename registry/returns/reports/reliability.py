"""What planners and markets are told: DERs by T-D bus for NERC MOD-032, and participation for FERC and the RTO."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Case, CharField, Count, F, Max, Min, OuterRef, Q, Subquery, Sum, Value, When
from django.utils import timezone

from moc.access import policy
from moc.reports.datasets import DATE, DECIMAL, FLOAT, INTEGER, MOMENT, PERMISSION, Head, Result, recorded
from moc.units import mw_from_kw
from registry.aggregations.models import Aggregation, AggregationMember
from registry.ders.choices import AbnormalCategory, Technology
from registry.ders.models import Der
from registry.submissions.models import Decision, UtilityReview

UTILITY_SCALE, RETAIL_SCALE = "U-DER", "R-DER"


def by_bus(user, asked: dict) -> Result:
    """DERs by T-D interface, scale, technology and abnormal performance category of IEEE 1547, in MW.

    U-DER stands before the meter, R-DER behind it. MOD-032-1 names no columns: those marked are this platform's reading.
    """
    scale = Case(When(connection_kind="ftm", then=Value(UTILITY_SCALE)), default=Value(RETAIL_SCALE), output_field=CharField())
    rows = policy.scope(recorded(Der, asked).exclude(status=Der.Status.DECOMMISSIONED), user, PERMISSION).order_by()
    bus = {"code": F("feeder__substation__td_interface__code"), "bus": F("feeder__substation__td_interface__name")}
    cut = rows.values(**bus, pnode=F("feeder__substation__td_interface__pnode__name"), utility=F("edc__name"), scale=scale)
    cut = cut.values("code", "bus", "pnode", "utility", "scale", "der_type", "abnormal_category").annotate(
        ders=Count("pk"),
        kw=Sum("nameplate_ac_kw"),
        kwh=Sum("energy_capacity_kwh"),
        first=Min("commissioned_on"),
        last=Max("commissioned_on"),
    )
    names = ("utility", "code", "bus", "pnode", "scale", "der_type", "abnormal_category", "ders", "kw", "kwh", "first", "last")
    categories, today = dict(AbnormalCategory.choices), asked.get("as_of") or timezone.localdate()
    lines = [
        [*place, scale, Technology(der_type).label, categories.get(category, ""), ders, mw_from_kw(kw), _mwh(kwh), first, last, today]
        for *place, scale, der_type, category, ders, kw, kwh, first, last in cut.values_list(*names)
    ]
    heads = [Head("Utility"), Head("T-D interface"), Head("Bus", unverified=True), Head("Pricing node", unverified=True)]
    heads += [Head("U-DER or R-DER", unverified=True), Head("Technology", unverified=True), Head("IEEE 1547 category", unverified=True)]
    heads += [Head("DERs", INTEGER), Head("Nameplate AC (MW)", DECIMAL), Head("Energy (MWh)", DECIMAL, True)]
    heads += [Head("First commissioned", DATE, True), Head("Last commissioned", DATE, True), Head("As of", DATE)]
    return Result(heads, sorted(lines, key=lambda line: [str(part or "") for part in line[:7]]))


def _mwh(kwh: Decimal | None) -> Decimal | None:
    return None if kwh is None else mw_from_kw(kwh)


def participation(user, asked: dict) -> Result:
    """Aggregations by RTO and aggregator: members, kW, the RTO's review; beside the aggregator's utility reviews and denials.

    As of a past day: the members of that day, and everything as it was recorded at its end."""
    rows = policy.scope(recorded(Aggregation, asked).exclude(status="draft").exclude(tso=None), user, PERMISSION)
    members = recorded(AggregationMember, asked).filter(valid_during__contains=asked.get("as_of") or timezone.localdate())
    sizes = _sizes(policy.scope(members, user, PERMISSION), asked)
    reviews, denials = _reviews(user, asked), _denials(user, asked)
    lines = []
    for each in rows.select_related("tso", "aggregator").order_by("tso__name", "aggregator__name", "name"):
        count, kw = sizes.get(each.id, (0, Decimal()))
        done, days, late = reviews.get(each.aggregator_id, (0, None, 0))
        line = [
            each.tso.name,
            each.aggregator.name,
            each.name,
            each.get_status_display(),
            each.participation_model,
            ", ".join(each.services),
        ]
        line += [count, kw, each.upper_limit_kw, each.submitted_at, each.effective_on]
        lines.append([*line, done, days, late, denials.get(each.aggregator_id, 0)])
    heads = [Head("RTO"), Head("Aggregator"), Head("Aggregation"), Head("Status"), Head("Participation model"), Head("Services")]
    heads += [Head("DERs", INTEGER), Head("Nameplate AC (kW)", DECIMAL), Head("Upper limit (kW)", DECIMAL)]
    heads += [Head("Submitted", MOMENT), Head("Takes part from", DATE)]
    heads += [Head("Aggregator's closed utility reviews", INTEGER, True), Head("Their mean days", FLOAT, True)]
    heads += [Head("Closed after the clock", INTEGER, True), Head("Aggregator's denied DERs", INTEGER, True)]
    return Result(heads, lines)


def _sizes(members, asked: dict) -> dict[int, tuple[int, Decimal]]:
    """aggregation → (DERs, kW); a DER that is a member for several services counts once."""
    kw = Subquery(recorded(Der, asked).filter(id=OuterRef("der_id")).values("nameplate_ac_kw")[:1]) if asked.get("as_of") else None
    once = members.order_by().values("aggregation_id", "der_id", kw=kw or F("der__nameplate_ac_kw")).distinct()
    found: dict[int, tuple[int, Decimal]] = {}
    for aggregation, _, kw in once.values_list("aggregation_id", "der_id", "kw").iterator(chunk_size=5_000):
        count, total = found.get(aggregation, (0, Decimal()))
        found[aggregation] = (count + 1, total + (kw or Decimal()))
    return found


def _reviews(user, asked: dict) -> dict[int, tuple[int, float, int]]:
    """aggregator → (closed utility reviews, mean days, closed after the clock)."""
    rows = policy.scope(recorded(UtilityReview, asked).filter(status="closed"), user, PERMISSION)
    found: dict[int, list[tuple[datetime, datetime, datetime]]] = {}
    for aggregator, *moments in rows.values_list("aggregator_id", "started_at", "closed_at", "due_at"):
        found.setdefault(aggregator, []).append(tuple(moments))
    return {
        aggregator: (
            len(each),
            round(sum((end - start).total_seconds() for start, end, _ in each) / 86_400 / len(each), 2),
            sum(end > due for _, end, due in each),
        )
        for aggregator, each in found.items()
    }


def _denials(user, asked: dict) -> dict[int, int]:
    """aggregator → DERs denied."""
    rows = policy.scope(recorded(Decision, asked).filter(Q(kind="deny"), Q(status="effective")), user, PERMISSION)
    return dict(rows.order_by().values("review__aggregator_id").annotate(n=Sum("row_count")).values_list("review__aggregator_id", "n"))
