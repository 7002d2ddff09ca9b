"""Preview first, then one act: connections, service points, transformers, DERs and aggregations in a handful of statements."""

from collections.abc import Iterable, Mapping
from datetime import date

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from psycopg import sql

from moc.access import policy
from moc.access.models import Organization
from moc.bulk import fetch_sql, run_sql, take_room
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.services import tell
from moc.rulesets.kinds import SINGLE_NODE
from moc.rulesets.law import Law
from moc.units import counted
from registry.aggregations.models import Aggregation
from registry.grid.models import Feeder, Pnode, ServicePoint
from registry.prequalification.services import passes
from registry.reconfigurations.models import Reconfiguration

PERMISSION = "manage_grid"
Status = Reconfiguration.Status


def prepare(*, actor, edc: Organization, reason: str, starts_on: date, usage_points: Iterable[str] = (), **places) -> Reconfiguration:
    """A reconfiguration with its consequences, nothing moved yet. `places` are from_* and to_* as the model has them.

    Raises UserError for a day to come, no reason, places of another utility, or service points that the utility does not have.
    """
    policy.require(actor, PERMISSION, edc)
    if not reason.strip():
        raise UserError("A reconfiguration needs a reason.", "Say why in a sentence.", "REASON")
    if starts_on > timezone.localdate():
        raise UserError("The switching is recorded once it has happened.", "Give today or an earlier day.", "RECONFIGURATION-DAY")
    if any(place is not None and place.edc_id != edc.pk for place in places.values()):
        raise UserError("This is another utility's grid.", "Choose records of the utility.", "RECONFIGURATION-EDC")
    points = sorted({point.strip() for point in usage_points} - {""})
    with transaction.atomic(), acting(actor, reason.strip()):
        made = Reconfiguration(edc=edc, reason=reason.strip()[:300], starts_on=starts_on, usage_points=points, created_by=actor, **places)
        made.validate_constraints()
        number = choose(made)
        _require_points(made, number)
        made.preview = consequences(made, number)
        made.save()
    return made


def _require_points(made: Reconfiguration, number: int) -> None:
    if made.usage_points:
        known = set(
            ServicePoint.objects.filter(edc=made.edc_id, usage_point_id__in=made.usage_points).values_list("usage_point_id", flat=True)
        )
        unknown = [point for point in made.usage_points if point not in known]
        if unknown:
            raise UserError(
                f"{len(unknown):,} of these service points are not the utility's, the first {unknown[0]}.",
                "Correct the list.",
                "RECONFIGURATION-POINTS",
            )
    if not number:
        raise UserError("No service point moves.", "Choose another source, or another target.", "RECONFIGURATION-EMPTY")


def chosen(made: Reconfiguration) -> QuerySet[ServicePoint]:
    """The service points that a reconfiguration is about; those that are where they shall be are not."""
    points = ServicePoint.objects.filter(edc=made.edc_id)
    if made.from_feeder_id:
        points = points.filter(feeder=made.from_feeder_id)
    elif made.from_transformer_id:
        points = points.filter(transformer=made.from_transformer_id)
    else:
        points = points.filter(usage_point_id__in=made.usage_points)
    if made.to_feeder_id:
        return points.exclude(feeder=made.to_feeder_id)
    if made.to_transformer_id:
        return points.exclude(transformer=made.to_transformer_id)
    return points if made.from_feeder.substation_id != made.to_substation_id else points.none()


def choose(made: Reconfiguration) -> int:
    """Fill the transaction's table of service points; returns how many they are."""
    take_room()
    keys = list(chosen(made).select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", flat=True))
    literal = sql.SQL("SELECT unnest({}::bigint[]) AS id").format(sql.Literal(keys))
    run_sql("choose", points=literal)
    return len(keys)


def _feeder_after(made: Reconfiguration) -> Feeder:
    if made.to_transformer_id:
        return made.to_transformer.feeder
    return made.to_feeder or made.from_feeder


def _node_after(made: Reconfiguration) -> int:
    substation = made.to_substation or _feeder_after(made).substation
    return substation.td_interface.pnode_id


def consequences(made: Reconfiguration, number: int) -> dict:
    """What the chosen service points take along: DERs by aggregator and node, and what each aggregation then is and breaks."""
    pnode, today = _node_after(made), timezone.localdate()
    ders = fetch_sql("moved_ders")
    found = fetch_sql("consequences", {"pnode": pnode, "today": today})
    names = dict(Pnode.objects.values_list("pk", "name"))
    known = Aggregation.objects.select_related("aggregator", "tso").in_bulk({row[0] for row in found})
    law = Law.on(today)
    return {
        "points": number,
        "ders": sum(row[2] for row in ders),
        "node": names[pnode],
        "new_node": sum(row[2] for row in ders if row[1] != pnode),
        "aggregators": sorted({row[0] for row in ders if row[0]}),
        "aggregations": [_consequence(known[row[0]], row, names, law) for row in found],
    }


def _consequence(aggregation: Aggregation, row: tuple, names: Mapping[int, str], law: Law) -> dict:
    _, service, moved, new_node, before, after, capacity = row
    return {
        "uuid": str(aggregation.uuid),
        "pk": aggregation.pk,
        "name": aggregation.name,
        "aggregator": str(aggregation.aggregator),
        "tso": aggregation.tso_id,
        "service": service,
        "moved": moved,
        "new_node": new_node,
        "nodes_before": sorted(names[each] for each in before or ()),
        "nodes_after": sorted(names[each] for each in after if each),
        "breaks": _breaks(aggregation, len(before or ()), len([each for each in after if each]), capacity, law),
    }


def _breaks(aggregation: Aggregation, before: int, after: int, capacity, law: Law) -> list[str]:
    """The codes of the market's locational rules that the aggregation breaks afterwards and did not before."""
    if aggregation.tso is None or after < 2 or before > 1:
        return []
    market, cap = aggregation.tso.slug, law.value("max_multinode_kw", aggregation.tso.slug)
    single = law.value("location_scope", market) in SINGLE_NODE
    return [*(["PQ-AGG-NODES"] if single else []), *(["PQ-AGG-MULTINODE"] if cap is not None and capacity > cap else [])]


def carry_out(*, actor, reconfiguration: Reconfiguration) -> Reconfiguration:
    """Do what was previewed, in one transaction. Raises Conflict when the consequences are others now, or the day is overtaken."""
    policy.require(actor, PERMISSION, reconfiguration.edc)
    with transaction.atomic(), acting(actor, reconfiguration.reason):
        made = Reconfiguration.objects.select_for_update(of=("self",)).select_related("edc").get(pk=reconfiguration.pk)
        if made.status != Status.PREVIEWED:
            raise Conflict(f"The reconfiguration is {made.get_status_display().lower()}.", "Reload the page.")
        number = choose(made)
        found = consequences(made, number)
        if found != made.preview:
            raise Conflict("The consequences are others than those shown.", "Discard it, and look again.", "RECONFIGURATION-STALE")
        if fetch_sql("later", {"starts_on": made.starts_on})[0][0]:
            raise Conflict(
                "Some of these service points were moved on that day or later already.", "Give a later day.", "RECONFIGURATION-OVERTAKEN"
            )
        run_sql("keep_connections", {"starts_on": made.starts_on, "reconfiguration": made.pk})
        _move(made)
        touched = sorted({each["pk"] for each in found["aggregations"] if each["new_node"]})
        run_sql("restate", {"today": timezone.localdate(), "aggregations": touched})
        values = {"point_count": number, "der_count": found["ders"], "done_at": timezone.now()}
        Reconfiguration.lifecycle.move(Reconfiguration.objects.filter(pk=made.pk), "carry_out", actor=actor, reason=made.reason, **values)
        passes.soon()
        _tell(made, found)
        made.refresh_from_db()
    return made


def _move(made: Reconfiguration) -> None:
    if made.to_substation_id:
        Feeder.objects.filter(pk=made.from_feeder_id).update(substation=made.to_substation_id)
        return
    to = {"feeder": _feeder_after(made).pk, "transformer": made.to_transformer_id}
    if made.to_feeder_id:
        run_sql("move_transformers", to)
    run_sql("move_points", to)
    run_sql("move_ders", to)


def _tell(made: Reconfiguration, found: dict) -> None:
    """Aggregators with DERs there; RTOs where an aggregation comes to another node."""
    aggregators = Organization.objects.filter(pk__in=found["aggregators"])
    markets = Organization.objects.filter(pk__in={each["tso"] for each in found["aggregations"] if each["new_node"] and each["tso"]})
    for party, permission in [(each, "file_ders") for each in aggregators] + [(each, "validate_aggregations") for each in markets]:
        tell(
            party,
            permission,
            event="reconfigured",
            subject=f"{made.edc} moved {counted(found['points'], 'service points')} to {made.target}",
            url="/registry/ders/" if permission == "file_ders" else "/registry/aggregations/",
            made=made,
            node=found["node"],
        )


def discard(*, actor, reconfiguration: Reconfiguration) -> None:
    """A preview that is not carried out."""
    policy.require(actor, PERMISSION, reconfiguration.edc)
    Reconfiguration.lifecycle.move(Reconfiguration.objects.filter(pk=reconfiguration.pk), "discard", actor=actor)


MOVES = {"carry_out": carry_out, "discard": discard}
