"""Exports the DER list in a process of its own, through the view or by plain COPY TO; prints seconds, rows and peak memory as JSON.

Usage: export_worker view|copy <user id> <file>
"""

import json
import sys
from collections.abc import Iterator
from time import perf_counter

import django

django.setup()

from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from moc import sight  # noqa: E402
from moc.access.models import User  # noqa: E402
from moc.bulk import copy_out  # noqa: E402
from registry.ders.models import Der  # noqa: E402
from registry.ders.tables import DER_EXPORT  # noqa: E402
from tests.scale.figures import peak_kb  # noqa: E402


def by_view(user: int) -> Iterator[bytes]:
    """The answer of the export's address, streamed."""
    client = Client()
    client.force_login(User.objects.get(pk=user))
    response = client.get("/registry/ders/export.csv")
    assert response.status_code == 200 and response.streaming
    return response.streaming_content


def by_copy(user: int) -> Iterator[bytes]:
    """COPY TO of the same columns of all DERs, nothing done to them."""
    return copy_out(Der.objects.order_by().values_list(*DER_EXPORT.values()))


if __name__ == "__main__":
    what, user, path = sys.argv[1:]
    setup_test_environment()
    User.objects.exists()  # connected
    lines, started = 0, perf_counter()
    with open(path, "wb") as file, sight.engine():  # the view takes the user's own
        for block in {"view": by_view, "copy": by_copy}[what](int(user)):
            file.write(block)
            lines += block.count(b"\n")
    print(json.dumps({"seconds": perf_counter() - started, "lines": lines, "peak_kb": peak_kb()}))
