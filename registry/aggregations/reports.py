"""What screens and the API show of aggregations: facts, composition computed from the members, findings."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from moc import charts, sight
from moc.access import policy
from moc.access.models import Organization
from moc.bulk import fetch_sql
from moc.rules import ERROR, registry
from registry.aggregations.models import AGENTS, AgentGrant, Aggregation, AggregationMember, AggregationPnode
from registry.catalogue.models import GridService
from registry.ders.choices import Technology
from registry.ders.models import Der
from registry.grid.models import Pnode

ELSEWHERE = "Not known"


@dataclass(frozen=True)
class Part:
    """One part of an aggregation: members of a technology at a pricing node and a utility."""

    technology: str
    node: str
    utility: str
    ders: int
    kw: Decimal
    kwh: Decimal


def facts(aggregation) -> list:
    """The aggregation in groups, [(group, [(label, value, unit, help)])]."""
    names = services(aggregation.services)
    offers = [
        ("Purpose", aggregation.get_purpose_display(), None, None),
        ("Services sought", ", ".join(names), None, None),
        ("RTO", _name(aggregation.tso), None, None),
        ("Participation model", aggregation.participation_model, None, None),
        ("Utility", _name(aggregation.edc), None, None),
        ("T-D interface", _name(aggregation.td_interface), None, None),
        ("Id at the RTO", aggregation.market_id, None, None),
        ("Takes part from", aggregation.effective_on, None, None),
    ]
    run_by = [
        ("Aggregator", str(aggregation.aggregator), None, None),
        *((_label(name), _name(getattr(aggregation, name)), None, None) for name in AGENTS),
    ]
    performance = [
        ("Upper operating limit", aggregation.upper_limit_kw, "kW", None),
        ("Lower operating limit", aggregation.lower_limit_kw, "kW", None),
        ("Ramp up", aggregation.ramp_up_kw_per_min, "kW/min", None),
        ("Ramp down", aggregation.ramp_down_kw_per_min, "kW/min", None),
        ("Response time", aggregation.response_time_s, "s", None),
        ("Stated on", aggregation.stated_on, None, None),
        ("Members' nameplate when stated", aggregation.stated_kw, "kW", None),
    ]
    groups = (
        ("Aggregation", [("Aggregation id", str(aggregation.uuid), None, None), *offers]),
        ("Run by", run_by),
        ("Performance", performance),
    )
    return [(title, [row for row in rows if row[1] not in (None, "")]) for title, rows in groups]


def services(codes: list[str]) -> list[str]:
    """Names of services, in the order of their codes' list."""
    known = dict(GridService.objects.filter(pk__in=codes).values_list("code", "name"))
    return [known.get(code, code) for code in codes]


def _label(name: str) -> str:
    label = str(Aggregation._meta.get_field(name).verbose_name)
    return label[:1].upper() + label[1:]


def _name(party) -> str:
    return "" if party is None else str(party)


def nameplate_kw(aggregation: Aggregation, day: date | None = None) -> Decimal:
    """The nameplate of an aggregation's members of a day."""
    members = AggregationMember.objects.filter(aggregation=aggregation).on(day or timezone.localdate())
    return Der.objects.filter(pk__in=members.values("der")).aggregate(kw=Coalesce(Sum("nameplate_ac_kw"), Decimal(0)))["kw"]


def factors(aggregation: Aggregation) -> list[dict]:
    """The response by pricing node of today and later."""
    rows = AggregationPnode.objects.filter(aggregation=aggregation).not_over(timezone.localdate()).select_related("pnode")
    return [
        {"node": row.pnode.name, "factor": row.factor, "starts_on": row.valid_during.lower, "ends_on": row.valid_during.upper}
        for row in rows
    ]


def sees_all(user, aggregation: Aggregation) -> bool:
    """Whether all members are the user's to see: of the aggregator, the RTO or an agent; a utility sees those on its grid."""
    mine = policy.reach(user, "view_registry")
    if {aggregation.aggregator_id, aggregation.tso_id} & mine:
        return True
    return AgentGrant.objects.filter(content_object=aggregation.pk, organization__in=mine).exists()


def agents(aggregation: Aggregation) -> list[dict]:
    """What other parties were granted on an aggregation, of those that the reader sees."""
    rows = (
        AgentGrant.objects.filter(content_object=aggregation.pk)
        .select_related("permission", "organization")
        .order_by("permission__codename")
    )
    return [
        {"role": row.role, "label": _label(row.role), "agent": row.organization, "starts_on": row.starts_on, "ends_on": row.ends_on}
        for row in rows
    ]


def composition(user, aggregation: Aggregation, day: date | None = None) -> list[Part]:
    """The members of a day by technology, pricing node and utility, largest first: of a utility that is no party only its own DERs."""
    asked = {"aggregation": aggregation.pk, "day": day or timezone.localdate(), "whole": sees_all(user, aggregation)}
    asked["utilities"] = sorted(policy.reach(user, "view_registry"))
    with sight.engine():  # sums over members whose scope the statement is told; where feeders lead to is not the reader's to see
        rows = fetch_sql("composition", asked)
        nodes = dict(Pnode.objects.filter(pk__in={row[1] for row in rows}).values_list("pk", "name"))
        utilities = dict(Organization.objects.filter(pk__in={row[2] for row in rows}).values_list("pk", "name"))
    parts = [Part(Technology(kind).label, nodes.get(node, ELSEWHERE), utilities[edc], *sums) for kind, node, edc, *sums in rows]
    return sorted(parts, key=lambda part: (-part.kw, part.technology, part.node, part.utility))


def drawn(parts: list[Part]) -> dict:
    """Totals and charts of a composition."""
    cuts = (("technology", "Technology"), ("node", "Pricing node"), ("utility", "Utility"))
    return {
        "ders": sum(part.ders for part in parts),
        "kw": sum(part.kw for part in parts),
        "kwh": sum(part.kwh for part in parts),
        "parts": parts,
        "charts": [
            charts.bar_chart(
                _folded(parts, name), identity=f"composition-{name}", title=f"Nameplate by {label.lower()}", unit="kW", category=label
            )
            for name, label in cuts
        ],
    }


def _folded(parts: list[Part], name: str) -> list[tuple[str, Decimal]]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for part in parts:
        sums[getattr(part, name)] += part.kw
    return sorted(sums.items(), key=lambda row: -row[1])


def findings_of(outcome: dict) -> dict:
    """A job's outcome as includes/findings.html shows it: the findings told one by one, and all counted where some rows were taken."""
    found = outcome.get("problems", [])
    counts = outcome.get("by_rule") or Counter(each["code"] for each in found).most_common()
    by_rule = [{"code": code, "severity": ERROR, "count": number, "sentence": registry[code].sentence} for code, number in counts]
    shown = [each | {"row_number": each["row"], "severity": ERROR} for each in found]
    return {"finding_counts": by_rule, "findings": shown, "findings_page": {}}
