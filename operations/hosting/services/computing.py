"""The computation of a map: the screen of interconnection over every node."""

import numpy as np
from django.db import transaction
from django.utils import timezone

from moc.history import acting
from moc.jobs.services import Progress
from operations.computed import services as computed
from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.problem import EXPORT, IMPORT
from operations.hosting.models import HostingMap, HostingNode
from operations.interconnection.services import base
from operations.interconnection.solver import hosting
from operations.network.services.building import feeder_of

SYSTEM, BATCH = "system: hosting capacity computed", 2_000
NAMES = {EXPORT: "export", IMPORT: "import"}


def carry_out(found: HostingMap, progress: Progress) -> dict:
    """Compute a map and write its nodes in one transaction. Returns the job's outcome."""
    version, feeder = found.network, feeder_of(found.network)
    buses = hosting.buses_of(feeder)
    machine = Machine(hosting.prepared(feeder, buses))
    shape, policy = base.year_of(version), base.limits_of(version)
    most, least = base.injections(version, len(feeder.points))
    asked, nodes, hours = hosting.tried(feeder, buses), [{"bus": bus[:120]} for bus in buses], {}
    for direction, name in NAMES.items():
        progress(0, None, f"{len(buses)} nodes, {name}")
        rest = base.rest_of(machine.feeder, shape, most, least, direction)
        worst = hosting.worst_columns(machine, rest, direction)
        side = hosting.capacities(machine, rest[:, worst], len(buses), asked, direction, policy)
        hours[name] = [int(column) for column in worst]
        kw = np.floor(side.watts / 100 + 1e-6) / 10
        for node, value, kind, element in zip(nodes, kw, side.kind, side.element, strict=True):
            node |= {f"{name}_kw": float(value), f"{name}_binds": str(kind), f"{name}_element": str(element)[:150]}
    facts = {"facts": shape.as_json() | {"columns": hours}, "node_count": len(buses), "computed_at": timezone.now()}
    with transaction.atomic(), acting(None, SYSTEM):
        computed.finish(found, SYSTEM, **facts)
        HostingNode.objects.filter(map=found).delete()
        HostingNode.objects.bulk_create([HostingNode(map=found, edc_id=found.edc_id, **node) for node in nodes], batch_size=BATCH)
    return {"nodes": len(buses)}
