"""From a utility's file to rows, arrays and findings; and from a version back to the arrays that solvers read."""

import io
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import transaction

from moc.documents.services import plain_path
from moc.history import acting
from moc.jobs.models import Job
from moc.jobs.services import Progress
from moc.rules import ERROR
from operations.network import importers, rules
from operations.network.engine import layout
from operations.network.engine.feeder import FeederModel
from operations.network.engine.powerflow import PowerFlow
from operations.network.models import NetworkArrays, NetworkElement, NetworkFinding, NetworkPoint, NetworkVersion
from registry.grid.models import ServicePoint

BATCH = 2_000
KEPT = 16  # feeders that a process keeps in memory


def carry_out(version: NetworkVersion, progress: Progress) -> dict:
    """Read, check and write one version in a transaction; staged without errors, broken with. Returns the job's outcome."""
    with plain_path(version.document) as path:
        progress(0, None, "Reading the file")
        feeder = importers.read(Path(path), name=version.document.name, source=version.source)
    progress(0, None, "Checking the model")
    with transaction.atomic(), acting(version.loaded_by, f"{'' if version.loaded_by else 'system: '}Loaded {version.document.name}"):
        outcome = write(version, feeder)
        Job.objects.filter(pk=version.job_id).update(outcome=outcome)
    return outcome


def write(version: NetworkVersion, feeder: FeederModel) -> dict:
    """Write a feeder as the rows, arrays and findings of a version, and move it on. Returns counts."""
    feeder_points = ServicePoint.objects.filter(edc=version.edc_id, feeder=version.feeder_id)
    named = {point.lower(): pk for pk, point in feeder_points.values_list("pk", "usage_point_id")}
    solved = PowerFlow(feeder).solve(feeder.leg_va()[:, None], nodes=True)
    good = bool(solved.converged[0])
    volts = np.abs(solved.legs[:, 0]) / feeder.leg_volts if good else None
    amps = np.abs(feeder.current_rows @ solved.nodes[:, 0]) / feeder.rating_amps if good else None
    found = [
        NetworkFinding(version=version, edc_id=version.edc_id, element=element[:120], code=rule.code, severity=rule.severity, value=value)
        for element, rule, value in rules.check(feeder, volts, set(named))
    ]
    NetworkFinding.objects.bulk_create(found, batch_size=BATCH)
    linked = _rows(version, feeder, volts, amps, named)
    content = io.BytesIO()
    feeder.save(content)
    NetworkArrays.objects.create(version=version, edc_id=version.edc_id, content=content.getvalue())
    errors = sum(finding.severity == ERROR for finding in found)
    counts = {"node_count": len(feeder.nodes), "element_count": len(feeder.element_names), "point_count": len(feeder.points)}
    facts = counts | {"linked_count": linked, "topology_hash": feeder.topology_hash}
    rows, move = NetworkVersion.objects.filter(pk=version.pk), "refuse" if errors else "stage"
    NetworkVersion.lifecycle.move(rows, move, actor=None, reason=f"system: {len(found):,} findings, {errors:,} of them errors", **facts)
    return {"nodes": len(feeder.nodes), "points": len(feeder.points), "linked": linked, "findings": len(found), "errors": errors}


def _rows(version: NetworkVersion, feeder: FeederModel, volts, amps, named: dict[str, int]) -> int:
    """Elements and points as rows; returns how many points are linked."""
    ends = layout.edges(feeder)
    xy = [[None if np.isnan(value) else float(value) for value in pair] for pair in layout.place(feeder, ends)]
    nowhere = [None, None]
    rated, loading = _most(feeder, feeder.rating_amps, np.minimum), _most(feeder, amps, np.maximum)
    of = {"version": version, "edc_id": version.edc_id}
    elements = []
    for number, (name, (a, b)) in enumerate(zip(feeder.element_names, ends, strict=True)):
        (x1, y1), (x2, y2) = (xy[bus] if bus >= 0 else nowhere for bus in (a, b))
        elements.append(
            NetworkElement(
                name=str(name)[:120],
                kind=str(name).split(".", 1)[0],
                from_bus=str(feeder.buses[a]) if a >= 0 else "",
                to_bus=str(feeder.buses[b]) if b >= 0 and b != a else "",
                phases=min(int(feeder.element_conductors[number]), 3),
                rated_a=rated.get(number),
                loading_percent=None if amps is None or number not in loading else 100 * loading[number],
                **of | {"x1": x1, "y1": y1, "x2": x2, "y2": y2},
            )
        )
    NetworkElement.objects.bulk_create(elements, batch_size=BATCH)
    points = [_point(feeder, number, volts, xy, named, of) for number in range(len(feeder.points))]
    NetworkPoint.objects.bulk_create(points, batch_size=BATCH)
    return sum(point.service_point_id is not None for point in points)


def _most(feeder: FeederModel, values: np.ndarray | None, which) -> dict[int, float]:
    """The least or greatest value of each element's rated conductors."""
    found: dict[int, float] = {}
    for element, value in zip(feeder.rating_element.tolist(), [] if values is None else values.tolist(), strict=False):
        found[element] = float(which(found.get(element, value), value))
    return found


def _point(feeder: FeederModel, number: int, volts, xy: list, named: dict[str, int], of: dict) -> NetworkPoint:
    legs = _legs(feeder)[number]
    bus = int(feeder.node_bus[feeder.leg_from[legs[0]]])
    name = str(feeder.points[number])
    return NetworkPoint(
        number=number,
        name=name[:120],
        bus=str(feeder.buses[bus]),
        phases=min(len(legs), 3),
        load_kw=float(feeder.point_va[number].real) / 1e3,
        voltage_pu=None if volts is None else float(volts[legs].mean()),
        service_point_id=named.get(name.split(".", 1)[1]),
        **of | {"x": xy[bus][0], "y": xy[bus][1]},
    )


@lru_cache(maxsize=2)
def _legs(feeder: FeederModel) -> list[np.ndarray]:
    return np.split(np.argsort(feeder.leg_point, kind="stable"), np.cumsum(np.bincount(feeder.leg_point))[:-1])


def feeder_of(version: NetworkVersion) -> FeederModel:
    """The arrays of a version: from memory, from the cached file of its topology hash, or from the database."""
    return _cached(version.pk, version.topology_hash)


@lru_cache(maxsize=KEPT)
def _cached(pk: int, topology_hash: str) -> FeederModel:
    path = Path(settings.VAR_DIR) / "networks" / f"{topology_hash}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(NetworkArrays.objects.values_list("content", flat=True).get(version=pk))
        partial.replace(path)
    return FeederModel.load(path)
