"""Encrypt the owners and contacts that are there, versions and filed rows too, in batches that commit one by one."""

from django.db import connection, migrations, transaction

from moc.vault import services as vault
from registry.participants import services as participants
from registry.participants.models import about_owner
from registry.participants.services import NAMES

BATCH = 2_000
OWNERS = ("registry_derowner", "registry_historicalderowner")
HISTORIES = ("registry_historicalderowner", "registry_historicalcontact")
INDEXED = ("data_key_id", "account_index", "digest")
TYPES = {"subject": "uuid", "data_key_id": "bigint", "filled": "smallint", "flaws": "smallint"}


def seal(apps, schema_editor) -> None:
    """Everything that is not sealed yet; a run that was stopped goes on."""
    for table in HISTORIES:
        _run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        _owners("registry_derowner", "id", "t.aggregator_id, t.edc_id", "", INDEXED)
        _owners("registry_historicalderowner", "history_id", "t.aggregator_id, t.edc_id", "", ())
        join = "JOIN registry_stagedder AS s ON s.id = t.row_id"
        _owners("registry_stagedowner", "row_id", "s.aggregator_id, coalesce(s.edc_id, s.aggregator_id)", join, (*INDEXED, "flaws"))
        _contacts("registry_contact", "id")
        _contacts("registry_historicalcontact", "history_id")
    finally:
        for table in HISTORIES:
            _run(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _batches(table: str, key: str, columns: str, join: str = ""):
    last = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT t.{key}, {columns} FROM {table} AS t {join} WHERE t.{key} > %s AND t.sealed = '' ORDER BY t.{key} LIMIT {BATCH}",
                [last],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            yield rows
            last = rows[-1][0]


def _owners(table: str, key: str, parties: str, join: str, more: tuple[str, ...]) -> None:
    for rows in _batches(table, key, f"{parties}, {', '.join(f't.{name}' for name in NAMES)}", join):
        rings = vault.rings(row[2] for row in rows)
        sealed = [participants.seal_owner(rings[row[2]], about_owner(row[1], row[2]), row[3:]) for row in rows]
        vault.keep(vault.Sealed(each.subject, each.data_key_id, each.wrapped, each.sealed) for each in sealed if each.subject)
        _update(table, key, [row[0] for row in rows], {name: [getattr(each, name) for each in sealed] for name in ("subject", "sealed", "filled", *more)})


def _contacts(table: str, key: str) -> None:
    for rows in _batches(table, key, "t.organization_id, t.name, t.email, t.phone"):
        rings = vault.rings(row[1] for row in rows)
        sealed = [rings[row[1]].seal(participants.pack(row[2:]), f"contact:{row[1]}".encode()) for row in rows]
        vault.keep(sealed)
        filled = [sum(bool(text) << place for place, text in enumerate(row[2:])) for row in rows]
        values = {"subject": [each.subject for each in sealed], "sealed": [each.sealed for each in sealed], "filled": filled}
        _update(table, key, [row[0] for row in rows], values)


def _update(table: str, key: str, keys: list[int], values: dict[str, list]) -> None:
    names = list(values)
    sets = ", ".join(f"{name} = v.{name}" for name in names)
    arrays = ", ".join(f"%s::{TYPES.get(name, 'bytea')}[]" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} AS t SET {sets} FROM unnest(%s::bigint[], {arrays}) AS v (key, {', '.join(names)}) WHERE t.{key} = v.key",
            [keys, *values.values()],
        )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("registry", "0006_sealed")]
    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
