"""The archive of a snapshot: one file for each recorded table, the seal that covers them, a dictionary and a manifest."""

import json
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from typing import BinaryIO

from django.db.models import Model
from django.utils import timezone

from moc import sheets, sight
from moc.access import policy
from moc.seals.services import published
from moc.snapshots import rows as of_table
from moc.snapshots.models import Snapshot
from moc.takeouts.archive import Archive

FORMAT = "moc-snapshot-1"
README = """The registry as it was recorded at {moment}, of what {organization} may see. Personal data are not in it.

tables/         one file ({format}) for each recorded table: each object as it stood then, deleted ones left out;
                and for each table that is only added to: what had been added by then
seal.json       the seal that covers every row: each row's transaction is below its number "before"
dictionary.csv  every column: its type, what it is, and which record it names
manifest.json   the instant, the seal, and every file with its size, SHA-256, rows and columns

Each row names its version (history_id): its timeline tells who wrote it and why, and its proof (seals/proofs/<table>/<history_id>/)
shows with check_proof.py that it stands under the seal. The same instant and seal give the same rows whenever they are asked for.
Records that are only ever added (files of disputes, signatures, former connections) have no versions: their proof goes by their own key.
{valid}"""


def write(out: BinaryIO, snapshot: Snapshot, user, progress: Callable[..., None]) -> int:
    """Write the archive of what `user` may audit; returns how many rows. `progress(done, total, phase)` is told block by block.

    Which version stood is chosen among all of them, also those that are not the user's to see (else an older one would stand in for
    them); then policy narrows. So the engine's sight is taken here, but for what is hidden from the user.
    """
    with sight.seeing(replace(sight.ENGINE, hidden=policy.hidden_from(user))):
        return _write(out, snapshot, user, progress)


def _write(out: BinaryIO, snapshot: Snapshot, user, progress: Callable[..., None]) -> int:
    recorded, counts = of_table.recorded(), {}
    with closing(Archive(out)) as archive:
        for number, model in enumerate(recorded):
            name = f"tables/{model._meta.db_table}.{snapshot.format}"
            counts[name] = _table(archive, name, model, snapshot, user, lambda: progress(number, len(recorded), f"Writing {name}"))  # noqa: B023
        archive.add("seal.json", [json.dumps(published(snapshot.seal), indent=1).encode()])
        archive.add("dictionary.csv", sheets.csv_rows(_dictionary(recorded)))
        valid = f"Of records that hold during days it has those that hold on {snapshot.valid_on}.\n" if snapshot.valid_on else ""
        about = {
            "valid": valid,
            "moment": snapshot.moment.isoformat(),
            "organization": snapshot.organization,
            "format": snapshot.get_format_display(),
        }
        archive.add("README.txt", [README.format(**about).encode()])
        archive.add("manifest.json", [json.dumps(_manifest(snapshot, recorded, archive.entries, counts), indent=1).encode()])
    return sum(counts.values())


def _table(archive: Archive, name: str, model: type[Model], snapshot: Snapshot, user, tell: Callable[[], None]) -> int:
    stood = of_table.standing(model, snapshot.moment, snapshot.seal.before, user, snapshot.valid_on)
    parquet = snapshot.format == Snapshot.Format.PARQUET
    tell()
    with archive.entry(name, packed=parquet) as entry:
        if parquet:
            return of_table.as_parquet(model, stood, entry, tell)
        return of_table.yield_to(of_table.as_csv(model, stood), lambda block: (tell(), entry(block)))


def _manifest(snapshot: Snapshot, recorded: list[type[Model]], entries: list[dict], counts: dict[str, int]) -> dict:
    columns = {
        f"tables/{model._meta.db_table}.{snapshot.format}": [field.attname for field in of_table.fields(model)] for model in recorded
    }
    files = [entry | ({"rows": counts[name], "columns": columns[name]} if (name := entry["name"]) in counts else {}) for entry in entries]
    return {
        "format": FORMAT,
        "as_recorded_at": snapshot.moment.isoformat(),
        "as_valid_on": snapshot.valid_on.isoformat() if snapshot.valid_on else None,
        "organization": snapshot.organization.slug,
        "written_at": timezone.now().isoformat(),
        "seal": {"number": snapshot.seal.number, "before": snapshot.seal.before, "digest": snapshot.seal.digest} | published(snapshot.seal),
        "files": files,
    }


def _dictionary(recorded: list[type[Model]]) -> Generator[tuple, None, None]:
    yield ("table", "column", "type", "what it is", "names a record of")
    for model in recorded:
        for field in of_table.fields(model):
            related = field.related_model._meta.db_table if field.is_relation else ""
            about = ". ".join(filter(None, (str(field.verbose_name), str(field.help_text))))
            yield (model._meta.db_table, field.attname, field.get_internal_type(), about, related)
