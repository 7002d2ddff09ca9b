"""From a study's point, rating and settings to its limits, with the project's own power flow and envelope solver."""

import numpy as np
from django.db import transaction

from moc.errors import UserError
from moc.history import acting
from moc.jobs.services import Progress
from operations.computed import services as computed
from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.problem import EXPORT, IMPORT
from operations.interconnection.models import STUDIED, InterconnectionStudy
from operations.interconnection.services import base
from operations.interconnection.solver import study as solver
from operations.interconnection.solver import windows, year
from operations.interconnection.solver.settings import Inverter
from operations.network.engine.feeder import FeederModel
from operations.network.models import NetworkPoint
from operations.network.services.building import feeder_of

SYSTEM = "system: interconnection studied"
KINDS = ("", "voltage", "thermal")


def carry_out(study: InterconnectionStudy, progress: Progress) -> dict:
    """Compute a study and move it on in one transaction. Returns the job's outcome. Raises UserError (STUDY-POINT)."""
    feeder = placed(study)
    machine, point = Machine(feeder), len(feeder.points) - 1
    found, policy = base.year_of(study.network), base.limits_of(study.network)
    most, least = base.injections(study.network, point)
    rated, apparent = (np.array([float(value) * 1e3]) for value in (study.rated_kw, study.rated_kva))
    inverter = Inverter(study.inverter_settings, rated, apparent)
    asked = {EXPORT: float(inverter.most_w[0]) if study.rated_kw else 0.0, IMPORT: float(study.charge_kw) * 1e3}
    sides = {}
    for direction, name in ((EXPORT, "export"), (IMPORT, "import")):
        if asked[direction] > 0:
            progress(0, None, f"288 hours of a year, {name}")
            rest = base.rest_of(machine.feeder, found, most, least, direction)
            side = solver.limits(machine, rest, point, asked[direction], direction, policy, inverter)
            able, outputs = _able(study, direction)
            sides[name] = side, solver.judged(side, able, outputs, study.accepted_percent), able
    facts = _facts(study, sides) | {"result": {name: _told(*each) for name, each in sides.items()} | {"year": found.as_json()}}
    with transaction.atomic(), acting(None, SYSTEM):
        computed.finish(study, SYSTEM, **facts)
    return {name: facts[name] for name in ("firm_export_kw", "flexible_export_kw", "firm_import_kw", "flexible_import_kw")}


def placed(study: InterconnectionStudy) -> FeederModel:
    """The feeder with the studied resource as its last point. Raises UserError for a bus without such phases."""
    feeder = feeder_of(study.network)
    if study.service_point_id:
        number = NetworkPoint.objects.values_list("number", flat=True).get(version=study.network, service_point=study.service_point)
        return feeder.with_resources({STUDIED: feeder.legs_like(number)})
    try:
        return feeder.with_resources({STUDIED: feeder.legs_of(study.bus, study.phases)})
    except KeyError as missing:
        raise UserError(f"phases: the network has no node {missing.args[0]}.", "Name phases that the bus has.", "STUDY-POINT") from missing


def _able(study: InterconnectionStudy, direction: int) -> tuple[np.ndarray, np.ndarray]:
    """What the DER can do at the most (288,), and on days of each kind of weather, as parts of what is asked for."""
    technology = study.technology if direction == EXPORT else ""
    assumed = base.assumed(study.edc_id)
    return year.availability(technology, assumed), year.outputs(technology, assumed)


def _facts(study: InterconnectionStudy, sides: dict) -> dict:
    """The figures of a study: limits, energies, windows and settings."""
    facts = {f"{part}_{name}_kw": None for part in ("firm", "flexible") for name in ("export", "import")}
    limits: dict[str, tuple] = {"export": (None, 0.0), "import": (None, 0.0)}
    for name, (_, outcome, _) in sides.items():
        firm, flexible = (round(watts / 1e3, 1) for watts in (outcome.firm_w, outcome.flexible_w))
        facts |= {f"firm_{name}_kw": firm, f"flexible_{name}_kw": flexible}
        limits[name] = np.round(outcome.limit_w / 1e3, 3), flexible
    possible = sum(float(outcome.possible_kwh.sum()) for _, outcome, _ in sides.values())
    cut = sum(float(outcome.curtailed_kwh.sum()) for _, outcome, _ in sides.values())
    proposed = dict(study.inverter_settings)
    if study.rated_kw and facts["flexible_export_kw"] < float(study.rated_kw):
        proposed["max_w"] = float(np.floor(1e5 * facts["flexible_export_kw"] / float(study.rated_kw) + 1e-6) / 1e3)
    windowed = windows.windows_of(*limits["export"], *limits["import"])
    return facts | {
        "curtailed_percent": round(100 * cut / possible, 2) if possible else 0.0,
        "windows": windowed,
        "proposed_settings": proposed,
    }


def _told(side: solver.Direction, outcome: solver.Outcome, able: np.ndarray) -> dict:
    """A direction as the study keeps it; where the DER can do no more than it may, nothing binds and there is no element."""
    bound = side.short(able)
    names = sorted({str(name) for name in side.element[bound]})
    place = {name: number for number, name in enumerate(names)}
    return {
        "asked_kw": side.asked / 1e3,
        "limit_kw": [float(value) for value in np.round(np.floor(side.limit / 10 + 1e-6) / 100, 2)],
        "kind": [KINDS.index(kind) if on else 0 for kind, on in zip(side.kind, bound, strict=True)],
        "element": [place[str(name)] if on else None for name, on in zip(side.element, bound, strict=True)],
        "names": names,
        "able": [float(value) for value in np.round(able, 4)],
        "possible_kwh": [float(value) for value in np.round(outcome.possible_kwh, 1)],
        "curtailed_kwh": [float(value) for value in np.round(outcome.curtailed_kwh, 1)],
        "unchecked": int((~side.checked).sum()),
        "alarms": side.alarms,
    }
