"""A snapshot of the whole registry as Parquet in a process of its own, or COPY TO of its largest table; prints seconds, rows, peak memory.

Usage: snapshot_worker snapshot|copy <user id> <moment> <file>
"""

import json
import sys
from datetime import datetime
from time import perf_counter

import django

django.setup()

from moc import sight  # noqa: E402
from moc.access import policy  # noqa: E402
from moc.access.models import User  # noqa: E402
from moc.bulk import copy_out  # noqa: E402
from moc.seals.models import Seal  # noqa: E402
from moc.snapshots import archive  # noqa: E402
from moc.snapshots.models import Snapshot  # noqa: E402
from registry.ders.models import Der  # noqa: E402
from tests.scale.figures import peak_kb  # noqa: E402


def snapshot(file, user: User, moment: datetime) -> int:
    """The archive as a worker writes it, to a file."""
    organization = policy.own_organizations(user)[0]
    asked = Snapshot(organization=organization, moment=moment, seal=Seal.objects.first(), requested_by=user)
    return archive.write(file, asked, policy.within(user, organization), lambda *told: None)


def copy(file, user: User, moment: datetime) -> int:
    """COPY TO of all columns of the current table, nothing done to them."""
    lines = 0
    for block in copy_out(Der.objects.order_by().values_list()):
        file.write(block)
        lines += block.count(b"\n")
    return lines


if __name__ == "__main__":
    what, user, moment, path = sys.argv[1:]
    with open(path, "wb") as file, sight.engine():
        asker = User.objects.get(pk=user)
        started = perf_counter()
        rows = {"snapshot": snapshot, "copy": copy}[what](file, asker, datetime.fromisoformat(moment))
    print(json.dumps({"seconds": perf_counter() - started, "rows": rows, "peak_kb": peak_kb()}))
