"""The computation of a screen: all of a submission's DERs behind a feeder together, at most and at least dispatch, over a year."""

from dataclasses import replace

import numpy as np
from django.db import transaction
from django.utils import timezone

from moc.history import acting
from moc.jobs.services import Progress
from operations.computed import services as computed
from operations.envelopes.services.life import policy_for
from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.problem import EXPORT, IMPORT
from operations.interconnection.services import base
from operations.interconnection.services.studying import KINDS
from operations.interconnection.solver import joint, year
from operations.network.models import NetworkPoint
from operations.network.services.building import feeder_of
from operations.screening.models import ReviewScreen, ScreenFinding
from operations.screening.services.ordering import SYSTEM, rows_of
from registry.submissions.models import StagedDer

NAMES = {EXPORT: "export", IMPORT: "import"}


def carry_out(screen: ReviewScreen, progress: Progress) -> dict:
    """Compute a screen and write its findings in one transaction. Returns the job's outcome."""
    version, rows = screen.network, list(rows_of(screen.review, screen.network))
    feeder = feeder_of(version)
    found, policy = base.year_of(version), replace(base.limits_of(version), robust=policy_for(version.feeder).robust)
    most, least = base.injections(version, len(feeder.points), [row.der_id for row in rows if row.der_id])
    places = dict(NetworkPoint.objects.filter(version=version).exclude(service_point=None).values_list("service_point_id", "number"))
    points = np.array([places[row.service_point_id] for row in rows], int)
    machine, assumed, result, made = Machine(feeder), base.assumed(version.edc_id), {}, []
    for direction, name in NAMES.items():
        progress(0, None, f"{len(rows)} DERs, {name}")
        asked = np.array([_asked(row, direction, assumed) for row in rows]).reshape(len(rows), year.COLUMNS)
        wants = np.flatnonzero(asked.max(1, initial=0) > 0)
        if len(wants):
            rest = base.rest_of(machine.feeder, found, most, least, direction)
            side = joint.screen(machine, rest, points[wants], asked[wants], direction, policy)
            result[name] = _told(side, asked)
            made += _findings(screen, [rows[n] for n in wants], side, asked[wants], name)
    short = len({each.row_id for each in made})
    facts = {"row_count": len(rows), "short_count": short, "result": result | {"year": found.as_json()}, "computed_at": timezone.now()}
    with transaction.atomic(), acting(None, SYSTEM):
        computed.finish(screen, SYSTEM, **facts)
        ScreenFinding.objects.filter(screen=screen).delete()
        ScreenFinding.objects.bulk_create(made)
    return {"ders": len(rows), "short": short}


def _asked(row: StagedDer, direction: int, assumed: year.Assumed) -> np.ndarray:
    """What a filed DER does at the most by month and hour, watts (288,)."""
    export = row.nameplate_ac_kw if row.approved_export_kw is None else row.approved_export_kw
    import_ = row.max_charge_kw if row.approved_import_kw is None else row.approved_import_kw
    if direction == EXPORT:
        return float(export or 0) * 1e3 * year.availability(row.der_type, assumed)
    return np.full(year.COLUMNS, float(import_ or 0) * 1e3)


def _told(side: joint.Joint, asked: np.ndarray) -> dict:
    names = sorted({str(name) for name, kind in zip(side.element, side.kind, strict=True) if kind})
    return {
        "asked_kw": [float(value) for value in np.round(asked.sum(0) / 1e3, 2)],
        "share": [float(value) for value in np.round(side.share, 4)],
        "kind": [KINDS.index(kind) for kind in side.kind],
        "element": [names.index(str(name)) if kind else None for name, kind in zip(side.element, side.kind, strict=True)],
        "names": names,
        "unchecked": side.unchecked,
        "alarms": side.alarms,
    }


def _findings(screen: ReviewScreen, rows: list[StagedDer], side: joint.Joint, asked: np.ndarray, name: str) -> list[ScreenFinding]:
    """One for each DER that cannot always do what was filed; limits are rounded down to a tenth of a kW."""
    return [
        ScreenFinding(
            screen=screen,
            review_id=screen.review_id,
            feeder_code=screen.feeder.code,
            row=row,
            aggregator_id=row.aggregator_id,
            edc_id=screen.edc_id,
            direction=name,
            filed_kw=round(float(asked[n].max()) / 1e3, 3),
            limit_kw=float(np.floor(side.always_w[n] / 100 + 1e-6) / 10),
            month=int(side.worst[n]) // year.HOURS + 1,
            hour=int(side.worst[n]) % year.HOURS,
            binds=str(side.binds[n]),
        )
        for n, row in enumerate(rows)
        if side.binds[n]
    ]
