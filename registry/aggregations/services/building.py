"""Make an aggregation, change it, state its performance and its response by node, and move it."""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.bulk import run_sql
from moc.errors import Conflict, UserError
from moc.history import acting
from registry.aggregations import reports
from registry.aggregations.models import AGENTS, TOLERANCE, Aggregation, AggregationMember, AggregationPnode
from registry.aggregations.services import agents, clocks
from registry.aggregators.services import standing
from registry.catalogue.choices import Level
from registry.catalogue.models import GridService
from registry.grid.models import Pnode

Status = Aggregation.Status
PERFORMANCE = ("upper_limit_kw", "lower_limit_kw", "ramp_up_kw_per_min", "ramp_down_kw_per_min", "response_time_s")
# what may change once it was filed: the RTO, the model and the services are what was validated
LASTING = (*PERFORMANCE, *AGENTS, "name", "td_interface")
FACTS = (*LASTING, "purpose", "tso", "edc", "participation_model", "services")
MOVES = ("submit", "withdraw", "retire")


def create(*, actor, aggregator: Organization, **facts) -> Aggregation:
    """A draft of an aggregation; `facts` are of FACTS. Agents that are not named are the aggregator. Raises ValidationError."""
    policy.require(actor, "file_ders", aggregator)
    with acting(actor, "Made an aggregation"):
        named = dict.fromkeys(AGENTS, aggregator)
        made = Aggregation(aggregator=aggregator, **(named | {name: value for name, value in facts.items() if value not in (None, "")}))
        _state(made, facts)
        return _saved(made)


def change(*, actor, aggregation: Aggregation, **facts) -> Aggregation:
    """Change facts of an aggregation; giving limits or ramps states its performance for the members that it has now (¶338)."""
    policy.require(actor, "file_ders", aggregation.aggregator)
    with acting(actor, "Changed the aggregation"):
        held = Aggregation.objects.select_for_update().get(pk=aggregation.pk)
        changed = {name: value for name, value in facts.items() if getattr(held, name) != value}
        if held.in_review or held.status == Status.RETIRED:
            raise Conflict(f"The aggregation is {held.get_status_display().lower()}.", "Take it back first, or make another one.")
        if held.status in (Status.REGISTERED, Status.SUSPENDED) and set(changed) - set(LASTING):
            raise UserError(
                "What the RTO validated does not change: purpose, RTO, participation model and services.",
                "Make another aggregation for it.",
                "AGGREGATION-VALIDATED",
            )
        for name, value in changed.items():
            setattr(held, name, value)
        _state(held, facts)
        _saved(held)
        agents.settle(held)
        return held


def _state(aggregation: Aggregation, facts: dict) -> None:
    """Limits and ramps are stated together, for the members of the day."""
    if any(facts.get(name) is not None for name in PERFORMANCE):
        aggregation.stated_on = timezone.localdate()
        aggregation.stated_kw = reports.nameplate_kw(aggregation) if aggregation.pk else Decimal(0)
        aggregation.restate_since = None


def _saved(aggregation: Aggregation) -> Aggregation:
    """The aggregation, if it is one that there can be. Raises ValidationError by field."""
    known = dict(GridService.objects.in_force().values_list("code", "level"))
    unknown = [code for code in aggregation.services if code not in known]
    wholesale = [code for code in aggregation.services if known.get(code) == Level.WHOLESALE]
    if unknown:
        raise ValidationError({"services": f"There is no service {', '.join(unknown)}."})
    if wholesale and not aggregation.is_wholesale:
        raise ValidationError({"services": f"Only a wholesale market buys {', '.join(wholesale)}: change the purpose."})
    if aggregation.is_wholesale and aggregation.tso_id is None:
        raise ValidationError({"tso": "Name the RTO in whose market it offers."})
    for name, kind in (("tso", Organization.Kind.TSO), ("edc", Organization.Kind.EDC)):
        party = getattr(aggregation, name)
        if party is not None and party.kind != kind:
            raise ValidationError({name: f"{party} is no {Organization.Kind(kind).label.lower()}."})
    aggregation.full_clean()
    aggregation.save()
    return aggregation


def set_factors(*, actor, aggregation: Aggregation, factors: dict[Pnode, Decimal], starts: date | None = None) -> None:
    """The aggregation's response by pricing node from a day on, in place of what was in force (¶225). Factors sum to 1 ± 1e-6.

    Earlier days keep theirs; sets that would only begin later are replaced.
    """
    policy.require(actor, "file_ders", aggregation.aggregator)
    day = starts or timezone.localdate()
    if abs(sum(factors.values()) - 1) > TOLERANCE or any(not 0 <= factor <= 1 for factor in factors.values()):
        raise UserError(f"The factors sum to {sum(factors.values())}.", "Give factors from 0 to 1 that sum to 1.", "AGGREGATION-FACTORS")
    if any(node.tso_id != aggregation.tso_id for node in factors):
        raise UserError("A node is not of the aggregation's RTO.", "Name nodes of that RTO.", "AGGREGATION-NODE")
    with acting(actor, "Stated the response by node"):
        held = Aggregation.objects.select_for_update().get(pk=aggregation.pk)
        if held.status == Status.RETIRED or (not held.is_open and day < timezone.localdate()):
            raise Conflict("Past days, and a retired aggregation, keep their factors.", "Give today or a later day.", "AGGREGATION-PAST")
        own = AggregationPnode.objects.filter(aggregation=held)
        own.end(day)
        AggregationPnode.objects.bulk_create(
            AggregationPnode(aggregation=held, pnode=node, factor=factor, valid_during=(day, None)) for node, factor in factors.items()
        )


def move(*, actor, aggregation: Aggregation, name: str, reason: str = "") -> None:
    """Submit, take back or retire. One without members is not submitted; a retired one lets its members go that day."""
    transition = Aggregation.lifecycle.transitions[name]
    policy.require(actor, transition.permission, aggregation.aggregator)
    with acting(actor, reason or transition.title):
        held = Aggregation.objects.select_for_update().get(pk=aggregation.pk)
        if name == "submit":
            standing.require(held.aggregator, tso=held.tso_id)
            _require_whole(held)
        clock = clocks.started(held) if name == "submit" else clocks.STOPPED
        Aggregation.lifecycle.move(Aggregation.objects.filter(pk=held.pk), name, actor=actor, reason=reason, **clock)
        held.refresh_from_db(fields=["status"])
        agents.settle(held)
        if name == "submit":
            run_sql("utilities", {"aggregation": held.pk, "aggregator": held.aggregator_id})
        if name == "retire":
            _let_go(held)


def _require_whole(held: Aggregation) -> None:
    if not held.services or not AggregationMember.objects.filter(aggregation=held).exists():
        raise UserError("The aggregation has no members.", "Add members, then submit it.", "AGGREGATION-EMPTY")
    if held.is_wholesale and held.td_interface_id is None and not AggregationPnode.objects.filter(aggregation=held).exists():
        raise UserError(
            "Nobody knows at which nodes the aggregation responds.",
            "Name its T-D interface, or its factors by node.",
            "AGGREGATION-NOWHERE",
        )


def _let_go(held: Aggregation) -> None:
    """No member is kept by a retired aggregation: those that have begun end today, the others never begin."""
    AggregationMember.objects.filter(aggregation=held).end(timezone.localdate())
