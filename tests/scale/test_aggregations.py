"""A file of 100,000 members against COPY into the same table, and the pages of an aggregation of 100,000 members against one of 100
(issue: figures of aggregations)."""

import statistics

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from moc.access.models import Organization
from moc.history import acting
from moc.jobs.models import Job
from registry.aggregations import tasks
from registry.aggregations.models import Aggregation
from registry.aggregations.services import building, loads
from registry.catalogue import services as catalogue
from registry.ders.models import Der
from tests.factories.filings import store_in
from tests.scale import state
from tests.scale.figures import RUNS, Phases, verdict
from tests.scale.pages import ROUNDS, _p50
from tests.scale.sites import Site

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
MEMBERS, FEW = 100_000, 100
OURS, RAW = "file to members, with constraints and history", "COPY into the same table, no history"
QUERIES = {"": 17, "members/": 13}


def test_a_file_of_members_and_the_pages_of_many(small_and_large, settings, tmp_path):
    """R4: ratios of rows/s and of p50."""
    store_in(settings, tmp_path)
    large, phases = small_and_large[1], Phases()
    with large.entered():
        catalogue.load()
        ids = Der.objects.filter(aggregator=_filer(large)[1]).order_by("pk").values_list("external_id", flat=True)
        content = "der\n" + "\n".join(ids[:MEMBERS])
        for run in range(RUNS):
            many = _loaded(large, phases, f"Many {run}", content)
            assert many.members.count() == MEMBERS
            _raw(large, phases, many)
            if run < RUNS - 1:
                _forget(large)
        few = _loaded(large, Phases(), "Few", "der\n" + "\n".join(ids[MEMBERS : MEMBERS + FEW]))
        _tend(large)
        print(f"\n\nMembers by file, {MEMBERS:,} rows\n{phases.table(MEMBERS)}")
        print(verdict("file of members against COPY (rows/s)", phases.median(RAW) / phases.median(OURS), floor=0.25))
        _pages(large, few, many)


def _filer(site: Site) -> tuple:
    user = site.user("aggregator")
    return user, user.memberships.get().organization


def _loaded(site: Site, phases: Phases, name: str, content: str) -> Aggregation:
    """An aggregation with the members of a file, as its filer and a worker make it."""
    user, aggregator = _filer(site)
    with acting(None, state.REASON):
        tso, _ = Organization.objects.get_or_create(kind="tso", slug="bench-tso", defaults={"name": "Bench RTO"})
    aggregation = building.create(actor=user, aggregator=aggregator, name=name, tso=tso, services=["energy"])
    job = loads.receive(actor=user, aggregation=aggregation, upload=SimpleUploadedFile("members.csv", content.encode()))
    with phases(OURS):
        tasks.load(job.pk)
    assert Job.objects.get(pk=job.pk).status == Job.Status.DONE, Job.objects.get(pk=job.pk).error
    return aggregation


def _raw(site: Site, phases: Phases, aggregation: Aggregation) -> None:
    """The same rows by COPY into a table with the same columns, indexes and constraints."""
    with site.superuser() as direct, direct.cursor() as cursor:
        with cursor.copy("COPY registry_aggregationmember TO STDOUT") as copy:
            blocks = [bytes(block) for block in copy]
        cursor.execute("CREATE TABLE raw_member (LIKE registry_aggregationmember INCLUDING ALL)")
        cursor.execute("CHECKPOINT")
        with phases(RAW), direct.transaction(), cursor.copy("COPY raw_member FROM STDIN") as copy:
            copy.write(b"".join(blocks))
        cursor.execute("DROP TABLE raw_member")


def _forget(site: Site) -> None:
    with site.superuser() as direct:
        direct.execute("SET session_replication_role = replica")
        direct.execute("TRUNCATE registry_aggregationmember, registry_historicalaggregationmember")


def _tend(site: Site) -> None:
    with site.superuser() as direct:
        direct.execute("VACUUM (ANALYZE) registry_aggregationmember")


def _pages(site: Site, few: Aggregation, many: Aggregation) -> None:
    """The record and its members, for the aggregator, at both in turns."""
    client, lines, worst = site.client("aggregator"), [], 0.0
    for page, queries in QUERIES.items():
        rounds: dict[str, list[float]] = {"few": [], "many": []}
        for _ in range(ROUNDS):
            for name, each in (("few", few), ("many", many)):
                rounds[name].append(_p50(client, [f"/registry/aggregations/{each.uuid}/{page}"], queries))
        small, large = (statistics.median(rounds[name]) for name in ("few", "many"))
        worst = max(worst, large / small)
        lines.append(f"  {page or 'record':<44} {small:11.1f} {large:11.1f} {large / small:7.2f} {queries:8}")
    print(f"  {'p50 of a request, ms':<44} {FEW:>11,} {MEMBERS:>11,} {'ratio':>7} {'queries':>8}\n" + "\n".join(lines))
    print(verdict("worst page of an aggregation", worst, ceiling=1.5))
