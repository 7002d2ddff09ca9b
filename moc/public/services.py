"""Publish: once a month, and a cell again only when enough customers changed in it, so that two publications tell of nobody either."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Model
from django.utils import timezone
from psycopg import sql

from moc.access import policy
from moc.access.models import Organization
from moc.bulk import fetch_sql, take_room
from moc.history import acting
from moc.public.gate import Cell, Limits, Weight, suppress
from moc.public.models import Publication, PublishedCell
from moc.rulesets.law import Law

CUSTOMERS, SHARE = "public_least_customers", "public_largest_share_percent"
Weights = dict[Cell, Weight]
Cube = PublishedCell.Cube
NOBODY = Weight(0, 0, 0, 0)
COLUMNS = {Cube.PLACE: ("county_id", "der_type"), Cube.PARTY: ("edc_id", "customer_sector")}


@dataclass
class Outcome:
    """What a publication did with a table's cells."""

    renewed: int = 0
    kept: int = 0
    hidden: int = 0


def limits_on(day) -> Limits:
    """The strictest of all regulators' rules on a day: a public table is of the whole state."""
    law = Law.on(day)
    regulators = [*Organization.objects.filter(kind="rerra", is_active=True).values_list("slug", flat=True), ""]
    return Limits(max(_numbers(law, CUSTOMERS, regulators)), min(_numbers(law, SHARE, regulators)))


def _numbers(law: Law, key: str, authorities: list[str]) -> list[int]:
    """What each authority says; LookupError where nobody says anything: a missing number is never guessed."""
    found = [int(value) for authority in authorities if (value := law.value(key, authority)) is not None]
    if not found:
        raise LookupError(f"No rule set row for {key} on {law.day}. Run load_rulesets, or add one in the admin.")
    return found


def publish(*, actor=None) -> Publication:
    """Count every table, hide what the gate does not let through, and renew what changed enough."""
    policy.require(actor, "administer")
    with acting(actor, "" if actor else "system: monthly publication"):
        now = timezone.now()
        take_room()
        limits = limits_on(timezone.localdate(now))
        outcome = Outcome()
        for cube in Cube:
            _publish(cube, limits, now, outcome)
        counts = {"renewed": outcome.renewed, "kept": outcome.kept, "hidden": outcome.hidden}
        return Publication.objects.create(read_at=now, least=limits.least, percent=limits.percent, **counts)


def _publish(cube: str, limits: Limits, now: datetime, outcome: Outcome) -> None:
    former = {(cell.row, cell.column): cell for cell in PublishedCell.objects.filter(cube=cube)}
    weights = _named(cube, _asked(cube))
    for place in former:
        weights.setdefault(place, NOBODY)
    hidden = suppress(weights, limits)
    kept = _unchanged(cube, former, weights, hidden, limits)
    fresh, changed = [], []
    for place, weight in weights.items():
        cell = former.get(place)
        if place in kept and place not in hidden:
            outcome.kept += 1
            if cell is not None:
                continue
        figures = _figures(weight, place in hidden or place in kept)
        outcome.hidden += figures["customers"] is None
        outcome.renewed += figures["customers"] is not None
        if cell is None:
            fresh.append(PublishedCell(cube=cube, row=place[0], column=place[1], read_at=now, **figures))
        elif cell.shown or figures["customers"] is not None:
            changed.append(_set(cell, read_at=now, **figures))
    PublishedCell.objects.bulk_create(fresh)
    PublishedCell.objects.bulk_update(changed, ["customers", "nameplate_ac_kw", "read_at"])


def _figures(weight: Weight, hide: bool) -> dict:
    if hide:
        return {"customers": None, "nameplate_ac_kw": None}
    return {"customers": weight.customers, "nameplate_ac_kw": Decimal(weight.watts).scaleb(-3)}


def _set(cell: Model, **values) -> Model:
    for name, value in values.items():
        setattr(cell, name, value)
    return cell


def _unchanged(cube: str, former: dict[Cell, PublishedCell], weights: Weights, hidden: set[Cell], limits: Limits) -> set[Cell]:
    """The cells that stay as they were published: their changes, and what could be told from those of others, are of too few customers.

    A cell that is shown for the first time has changed by all that is in it. Changes of hidden cells stay hidden.
    """
    moments = {cell.read_at for cell in former.values() if cell.shown}
    if not moments:
        return set()
    since = {moment: _named(cube, _asked(cube, moment)) for moment in moments}
    latest = max(moments)
    changes = {}
    for place, weight in weights.items():
        cell = former.get(place)
        if cell is not None and cell.shown:
            changes[place] = since[cell.read_at].get(place, NOBODY)
        else:
            changes[place] = since[latest].get(place, NOBODY) if place in hidden else weight
    kept = suppress(changes, limits, frozenset(hidden))
    return kept | {place for place, change in changes.items() if not change.customers and place in former}


def _asked(cube: str, moment: datetime | None = None) -> list[tuple]:
    row, column = COLUMNS[cube]
    return fetch_sql("cells", {"moment": moment}, row=sql.Identifier("der", row), col=sql.Identifier("der", column))


def _named(cube: str, rows: list[tuple]) -> Weights:
    """Cells by what is published of them: utilities by slug."""
    slugs = {}
    if cube == Cube.PARTY:
        slugs = {str(pk): slug for pk, slug in Organization.objects.filter(kind="edc").values_list("pk", "slug")}
    return {(slugs.get(row, row), column): Weight(*found) for row, column, *found in rows}
