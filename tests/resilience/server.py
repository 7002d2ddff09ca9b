"""A PostgreSQL of the test's own, with the test database's schema, that may be killed without anybody else's losing theirs."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import environ
import pytest
from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from moc.up import place as places
from moc.up.place import find_place, servers_of
from moc.up.postgres import Cluster
from moc.up.provision import APP, DATABASE, SUPERUSER

ADDRESS = ("NAME", "USER", "PASSWORD", "HOST", "PORT")


@contextmanager
def own_server(checkout: Path) -> Iterator[Cluster]:
    """For the block Django is connected to a new cluster; `checkout` is a folder to name it after."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "VAR", checkout)
        cluster = Cluster(find_place(checkout))
        try:
            with cluster.in_use():
                _copy_to(cluster)
                with _connected_to(cluster, patch):
                    yield cluster
        finally:
            cluster.stop()
            shutil.rmtree(cluster.place.home)


def kill(cluster: Cluster) -> None:
    """SIGKILL of every process of the server, as if the power went; returns when none is left."""
    while left := servers_of(cluster.place.data):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _copy_to(cluster: Cluster) -> None:
    """The test database as it is, which between tests is its schema."""
    tools, source = cluster.place.binaries, make_conninfo(settings.DATABASE_SUPERUSER_URL, dbname=connection.settings_dict["NAME"])
    dumped = subprocess.run([tools / "pg_dump", "--dbname", source, "--clean", "--if-exists"], check=True, capture_output=True).stdout
    target = make_conninfo(host=str(cluster.place.sockets), user=SUPERUSER, dbname=DATABASE)
    options = ["--quiet", "--set", "ON_ERROR_STOP=1", "--single-transaction"]
    subprocess.run([tools / "psql", *options, "--dbname", target], input=dumped, check=True, capture_output=True)


@contextmanager
def _connected_to(cluster: Cluster, patch: pytest.MonkeyPatch) -> Iterator[None]:
    found = environ.Env.db_url_config(cluster.url(APP))
    connection.close()
    patch.setattr(settings, "DATABASE_SUPERUSER_URL", cluster.url(SUPERUSER))
    for name in ADDRESS:
        patch.setitem(connection.settings_dict, name, found.get(name, ""))
    patch.setitem(connection.settings_dict, "OPTIONS", connection.settings_dict["OPTIONS"] | found.get("OPTIONS", {}))
    try:
        yield
    finally:
        connection.close()
