"""A small and a large registry, each in a database of its own and filled by SQL, for what is measured on a registry that exists.

Of every twenty DERs twelve are at the first utility, two at the second and one at each other; of every ten twenties seven are the first
aggregator's. Each DER has an owner, a service point, a filing, and two versions, the second utility's four; a version has 0.1 kW more
than the one before it, the last is the record.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time

import psycopg
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection
from django.test import Client

from moc.access.models import Membership, Organization, Oversight, User
from moc.history import acting
from moc.rulesets.models import RuleSet
from registry.ders.models import Der
from registry.grid.models import County, ServicePoint
from registry.submissions.models import StagedDer, Submission, UtilityReview
from tests import database
from tests.factories.personal import registered_owner
from tests.factories.presence import sign_in
from tests.factories.registrations import register
from tests.scale import state

SMALL_ROWS = 10_000
VERSIONS = 2
VERSIONS_AT_SECOND = 4
BETWEEN = datetime(2025, 3, 20, tzinfo=UTC)  # after every second version, before every third
_SHARES = (0,) * 12 + (1,) * 2 + (2, 3, 4, 5, 6, 7)
_TYPES = ("photovoltaic",) * 45 + ("evse",) * 4 + ("demand_response",)
_PARTIES = {
    "edc_id": "(%(edcs)s::bigint[])[i %% 20 + 1]",
    "aggregator_id": "(%(aggregators)s::bigint[])[i / 20 %% 10 + 1]",
}
_COUNTY = {"county_id": "'34' || lpad((i %% 21 * 2 + 1)::text, 3, '0')"}
_FACTS = {
    "external_id": "'X-' || i",
    "uuid": "gen_random_uuid()",
    "serial_no": "'SN-' || i",
    "der_type": "(%(types)s::text[])[i / 200 %% 50 + 1]",
    "nameplate_ac_kw": "3 + i::bigint * 7919 %% 12007 / 1000.0",
    "premise_address": "i || ' Benchmark Road, NJ 07728'",
    "consent_reference": "'CONSENT-' || i",
    "commissioned_on": "date '2012-01-01' + i %% 4000",
    "latitude": "39 + i %% 2000 / 1000.0",
    "longitude": "-75 + i %% 1000 / 1000.0",
    "service_point_id": "i",
    "owner_id": "i",
}
_PATTERN = {
    "external_id": "pattern",
    "der_type": "photovoltaic",
    "manufacturer": "Bench Solar",
    "model": "Model 7",
    "firmware": "1.0",
    "inverter_certification": "ul1741sa",
    "permission_to_operate_on": "2024-06-01",
    "nameplate_ac_kw": 3,
    "nameplate_dc_kw": 20,
    "rated_kva": 18,
    "rated_inject_kvar": 2,
    "rated_absorb_kvar": 2,
    "nominal_voltage_v": 240,
    "normal_category": "b",
    "abnormal_category": "ii",
    "control_modes": ["max_w", "volt_var", "volt_watt"],
    "meter_id": "M-1",
    "phases_installed": 1,
    "connection_kind": "btm",
    "customer_sector": "residential",
    "interconnection_agreement_no": "IA-1",
    "interconnection_agreement_on": "2011-11-01",
    "interconnection_kind": "net_metering",
    "approved_export_kw": 2,
    "approved_import_kw": 0,
    "consent_reference": "CONSENT",
    "premise_address": "1 Benchmark Road",
    "zip_code": "07728",
    "registered_on": "2024-07-01",
}


@dataclass
class Site:
    """A filled registry; `users` by what they are: aggregator, utility, utility's auditor, regulator, nobody. `fill_s` took its filling."""

    database: str
    rows: int
    users: dict[str, User]
    edcs: list[Organization]
    fill_s: float = 0

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Work on this site for the block, on a connection of its own."""
        with database.connected_to(self.database):
            cache.clear()
            ContentType.objects.clear_cache()
            yield

    def client(self, who: str) -> Client:
        """A client signed in a moment ago as one of `users`."""
        return sign_in(Client(), self.users[who])

    def user(self, who: str) -> User:
        """One of `users` afresh, as a request has it: nothing of the rights resolved."""
        return User.objects.get(pk=self.users[who].pk)

    def uuids(self, count: int) -> list:
        """DERs of the first utility spread over the whole table."""
        keys = [self.rows // (count + 1) * turn // 20 * 20 + 1 for turn in range(1, count + 1)]
        return list(Der.objects.filter(pk__in=keys).order_by("pk").values_list("uuid", flat=True))

    def superuser(self) -> psycopg.Connection:
        return psycopg.connect(settings.DATABASE_SUPERUSER_URL, dbname=self.database, autocommit=True)

    def in_a_process(self, module: str, *arguments) -> dict:
        """Run a module of this folder against this site in a process of its own, and read what it prints as JSON."""
        app = connection.settings_dict
        host = app.get("HOST") or (app.get("OPTIONS") or {}).get("host", "")
        environment = os.environ | {
            "DATABASE_URL": f"postgres://{app['USER']}@/{self.database}?host={host}",
            "DJANGO_SETTINGS_MODULE": "tests.scale.worker_settings",
        }
        command = [sys.executable, "-m", f"tests.scale.{module}", *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])


def build(template: str, name: str, rows: int) -> Site:
    """Make the database `name` from an empty migrated one, and fill it."""
    with psycopg.connect(settings.DATABASE_SUPERUSER_URL, dbname="postgres", autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    site = Site(name, rows, {}, [])
    started = time()
    with site.entered():
        users, edcs, aggregators = _parties()
        site.users, site.edcs = users, edcs
        _pattern(aggregators[0], edcs, users["aggregator"])
        with site.superuser() as direct:
            _fill(direct, rows, [edc.pk for edc in edcs], [aggregator.pk for aggregator in aggregators], users["utility"].pk)
    site.fill_s = time() - started
    return site


def drop(site: Site) -> None:
    with psycopg.connect(settings.DATABASE_SUPERUSER_URL, dbname="postgres", autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{site.database}" WITH (FORCE)')


def _parties() -> tuple[dict[str, User], list[Organization], list[Organization]]:
    filer, aggregator, edcs = state.parties()
    with acting(None, state.REASON):
        others = [Organization.objects.create(kind="aggregator", name=f"Aggregator {n}", slug=f"bench{n}") for n in (2, 3, 4)]
        regulator = Organization.objects.create(kind="rerra", name="Bench board", slug="board")
        Oversight.objects.bulk_create(Oversight(overseer=regulator, overseen=edc) for edc in edcs)
        register(others, regulator, filer)
        users = {
            "aggregator": filer,
            "utility": edcs[0].memberships.get().user,
            "regulator": _member("auditor@board.example.org", regulator),
            "utility's auditor": _member("auditor@utility.example.org", edcs[0]),
            "nobody": User.objects.create_user("nobody@bench.example.org", "not used"),
        }
    return users, edcs, [aggregator, *others]


def _member(email: str, organization: Organization) -> User:
    user = User.objects.create_user(email, "not used")
    Membership.objects.create(user=user, organization=organization, role="auditor")
    return user


def _pattern(aggregator: Organization, edcs: list[Organization], filer: User) -> None:
    """One record of each kind by the ORM; the fill repeats them with other values."""
    edc = edcs[0]
    with acting(None, state.REASON):
        point = ServicePoint.objects.create(edc=edc, usage_point_id="pattern", county=County.objects.first(), phases_available=3)
        owner = registered_owner(aggregator, edc, edc_account_no="pattern", owner_name="Pat Owner")
        Der.objects.create(aggregator=aggregator, edc=edc, service_point=point, owner=owner, **_PATTERN)
        submission = Submission.objects.create(aggregator=aggregator, title="Benchmark", created_by=filer)
        facts = {name: value for name, value in _PATTERN.items() if name != "registered_on"}
        StagedDer.objects.create(submission=submission, aggregator=aggregator, edc=edc, row_number=1, **facts)
        clock = {"started_at": BETWEEN, "due_at": BETWEEN, "clock_rule": RuleSet.objects.first()}
        UtilityReview.objects.bulk_create(
            UtilityReview(submission=submission, edc=each, aggregator=aggregator, row_count=1, **clock) for each in edcs
        )


def _fill(direct: psycopg.Connection, rows: int, edcs: list[int], aggregators: list[int], writer: int) -> None:
    """All tables, their indexes at rest meanwhile and no trigger firing."""
    given = {
        "rows": rows,
        "edcs": [edcs[share] for share in _SHARES],
        "aggregators": [aggregators[0]] * 7 + aggregators[1:],
        "types": list(_TYPES),
    }
    direct.execute("SET session_replication_role = replica")
    direct.execute("SET maintenance_work_mem = '512MB'")
    tables = ("registry_servicepoint", "registry_derowner", "registry_der", "registry_historicalder", "registry_stagedder")
    resting = _rest_indexes(direct, tables)
    usage = {"usage_point_id": "'SP-' || i"}
    _repeat(direct, "registry_servicepoint", usage | {"edc_id": _PARTIES["edc_id"]} | _COUNTY, given)
    _repeat(direct, "registry_derowner", {"account_index": "int8send(i)"} | _PARTIES, given)
    _repeat(direct, "registry_der", _FACTS | _PARTIES | _COUNTY, given)
    for version in range(1, VERSIONS_AT_SECOND + 1):
        _remember(direct, version, edcs[1], writer)
    filed = {name: value for name, value in _FACTS.items() if name not in {"uuid", "owner_id"}}
    filed |= usage | {"row_number": "i", "der_id": "i", "status": "'approved'"}
    _repeat(direct, "registry_stagedder", filed | _PARTIES, given)
    direct.execute("UPDATE registry_submission SET status = 'completed', submitted_at = '2024-07-01'")
    direct.execute("UPDATE registry_utilityreview SET status = 'closed', closed_at = due_at")
    for definition in resting:
        direct.execute(definition)
    for table in (*tables, "registry_submission", "moc_organization", "registry_county"):
        direct.execute(f"VACUUM (ANALYZE) {table}")


def _rest_indexes(direct: psycopg.Connection, tables: tuple[str, ...]) -> list[str]:
    """Drop the indexes that no constraint needs; returns the statements that make them again."""
    found = direct.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = ANY(%s::text[]::regclass[]) "
        "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
        [list(tables)],
    ).fetchall()
    for name, _ in found:
        direct.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


def _columns(direct: psycopg.Connection, table: str) -> list[str]:
    found = direct.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''", [table]
    )
    return [row[0] for row in found]


def _repeat(direct: psycopg.Connection, table: str, changed: dict[str, str], given: dict) -> None:
    """Replace the one row of a table by `rows` of it, numbered from 1, with some columns computed from the number."""
    values = {name: f'one."{name}"' for name in _columns(direct, table)} | {"id": "i"} | changed
    direct.execute(f"CREATE TEMP TABLE one AS SELECT * FROM {table}")
    direct.execute(f"DELETE FROM {table}")
    names = ", ".join(f'"{name}"' for name in values)
    direct.execute(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(values.values())} FROM one, generate_series(1, %(rows)s) AS i",
        given,
    )
    direct.execute("DROP TABLE one")


def _remember(direct: psycopg.Connection, version: int, second: int, writer: int) -> None:
    """The versions number `version`, a month after those before; past the second only the second utility's DERs have any."""
    if version == 1:
        direct.execute("DELETE FROM registry_historicalder")
    last = f"CASE WHEN edc_id = {second} THEN {VERSIONS_AT_SECOND} ELSE {VERSIONS} END"
    values = {name: f'"{name}"' for name in _columns(direct, "registry_der")} | {
        "nameplate_ac_kw": f"nameplate_ac_kw - 0.1 * ({last} - {version})",
        "firmware": f"'{version}.0'",
        "history_date": f"timestamptz '2025-01-01 UTC' + {version} * interval '30 days' + id * interval '1 second'",
        "history_type": "'~'" if version > 1 else "'+'",
        "history_change_reason": f"'{state.REASON}'",
        "history_user_id": str(writer),
        "transaction_id": str(version),
    }
    names = ", ".join(f'"{name}"' for name in values)
    rows = "registry_der" if version <= VERSIONS else f"registry_der WHERE edc_id = {second}"
    direct.execute(f"INSERT INTO registry_historicalder ({names}) SELECT {', '.join(values.values())} FROM {rows}")
