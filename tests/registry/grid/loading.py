"""Loads of grid records in tests: rows as a utility writes them, loaded by the services."""

from collections.abc import Iterable

from moc.jobs.models import Job
from registry.grid import tasks
from registry.grid.models import GridLoad
from registry.grid.services import loads
from tests.factories.filings import table, upload
from tests.factories.world import World


def run(job: Job) -> Job:
    """Run a load's job as a worker would."""
    tasks.load(job.pk)
    job.refresh_from_db()
    return job


def loaded(world: World, kind: str, rows: Iterable[dict] | bytes, *, edc: str = "edc", name: str = "grid.csv", **how) -> GridLoad:
    """Rows loaded by a utility's administrator."""
    content = rows if isinstance(rows, bytes) else table(rows)
    found = loads.receive(
        actor=world.user(edc, "administrator"), edc=world.organizations[edc], kind=kind, upload=upload(content, name), **how
    )
    run(found.job)
    found.refresh_from_db()
    return found


def point(n: int, **values) -> dict[str, str]:
    """A service point without findings, new to the first utility."""
    return {
        "usage_point_id": f"NEW-{n:03}",
        "transformer": "T-F1",
        "feeder": "F1",
        "pnode": "EDC ZONE",
        "county_fips": "34025",
        "zip_code": "07701",
        "address": f"{n} New Street, Red Bank",
        "phases_available": "1",
        "nominal_voltage_v": "240",
        "latitude": "40.35",
        "longitude": "-74.06",
    } | values


def found_in(load: GridLoad) -> set[tuple[int, str, str]]:
    """(row, rule code, column); the first row of a file is 2."""
    return set(load.findings.values_list("row_number", "code", "column"))
