"""The embedded PostgreSQL, on real clusters of its own: roles, restarts, kills, half-made data."""

import os
import shutil
import signal

import psycopg
import pytest

from moc.up import place as places
from moc.up.bootstrap import Refusal
from moc.up.place import find_place, servers_of
from moc.up.postgres import Cluster
from moc.up.provision import server_settings


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A cluster that belongs to no checkout; each test finds it stopped, with its data."""
    checkout = tmp_path_factory.mktemp("checkout")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "VAR", checkout)
        found = Cluster(find_place(checkout))
        with found.in_use(), connect(found, "moc_owner") as owner:
            owner.execute("CREATE TABLE kept (a int)")
        yield found
        found.stop()
        shutil.rmtree(found.place.home)


def connect(cluster, role, database="moc"):
    return psycopg.connect(host=str(cluster.place.sockets), user=role, dbname=database, autocommit=True)


def kill_leader(cluster):
    os.kill(int((cluster.place.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def test_roles_can_do_what_they_must_and_no_more(cluster):
    with cluster.in_use():
        with connect(cluster, "moc_owner") as owner:
            owner.execute("CREATE DATABASE test_probe")
        with connect(cluster, "moc_owner", "test_probe") as test:
            assert {"btree_gist", "pg_trgm"} <= {name for (name,) in test.execute("SELECT extname FROM pg_extension")}
        with connect(cluster, "moc_app") as app:
            app.execute("CREATE TEMPORARY TABLE scratch (a int)")
            assert app.execute("SELECT bool_or(rolsuper) FROM pg_roles WHERE rolname LIKE 'moc%'").fetchone() == (False,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute("CREATE TABLE refused (a int)")
            app.execute("SET ROLE moc_engine")  # which sees every row, and owns none
            assert app.execute("SELECT rolbypassrls, rolcanlogin, rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (
                True,
                False,
                False,
            )
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute("CREATE TABLE refused (a int)")
            app.execute("RESET ROLE")
            assert app.execute("SELECT current_setting('listen_addresses'), current_setting('fsync')").fetchone() == ("", "on")
            assert app.execute("SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'moc'").fetchone() == ("b", "C.UTF-8")


def test_the_last_user_stops_the_server_and_the_data_stay(cluster):
    with cluster.in_use():
        with cluster.in_use():
            pass
        assert cluster.is_ready()
        with connect(cluster, "moc_owner") as owner:
            assert owner.execute("SELECT to_regclass('kept')").fetchone() == ("kept",)
    assert servers_of(cluster.place.data) == []


def test_a_server_that_is_to_stay_stays_until_it_is_stopped(cluster):
    cluster.stay()
    with cluster.in_use():
        pass
    assert cluster.is_ready()
    assert cluster.stop()
    assert not cluster.stop()


def test_a_killed_server_is_started_again_with_what_was_committed(cluster):
    with cluster.in_use():
        with connect(cluster, "moc_owner") as owner:
            owner.execute("INSERT INTO kept VALUES (1)")
        assert not cluster.revive()
        kill_leader(cluster)
        while servers_of(cluster.place.data):
            pass
        assert cluster.revive()
        with connect(cluster, "moc_owner") as owner:
            assert owner.execute("SELECT a FROM kept").fetchall() == [(1,)]


def test_a_pid_file_that_names_a_stranger_does_not_block_the_start(cluster):
    (cluster.place.data / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.place.data}\n0\n5432\n\n\n")
    with cluster.in_use():
        assert cluster.is_ready()


def test_data_of_another_version_are_refused_and_not_touched(cluster):
    version = cluster.place.data / "PG_VERSION"
    before = version.read_text()
    version.write_text("17\n")
    with pytest.raises(Refusal, match="is of PostgreSQL 17"), cluster.in_use():
        pass
    version.write_text(before)


def test_a_start_killed_halfway_is_begun_afresh(cluster, capsys):
    cluster.place.data.rename(cluster.place.home / "data-unfinished")
    (cluster.place.home / "data-unfinished" / "PG_VERSION").unlink()
    with cluster.in_use(), connect(cluster, "moc_owner") as owner:
        assert owner.execute("SELECT to_regclass('kept')").fetchone() == (None,)
        owner.execute("CREATE TABLE kept (a int)")
    assert "starting afresh" in capsys.readouterr().out


def test_roles_missing_after_a_kill_are_made_at_the_next_start(cluster):
    with cluster.in_use(), cluster.connect() as server:
        server.execute("DROP DATABASE moc")
        cluster.ready_marker.unlink()
    with cluster.in_use(), connect(cluster, "moc_owner") as owner:
        owner.execute("CREATE TABLE kept (a int)")


def test_folders_around_are_left_as_they_are(cluster):
    folders = [folder for folder in cluster.place.home.parents if folder.exists()]
    before = [(folder.stat().st_mode, folder.stat().st_uid) for folder in folders]
    with cluster.in_use():
        pass
    assert [(folder.stat().st_mode, folder.stat().st_uid) for folder in folders] == before


@pytest.mark.parametrize(("memory", "buffers"), [(2**30, "170MB"), (64 * 2**30, "4096MB"), (2**28, "64MB")])
def test_the_server_takes_its_share_of_the_memory(memory, buffers):
    assert server_settings(memory, 2**26, 2**40)["shared_buffers"] == buffers
    assert server_settings(memory, 2**26, 2**40)["dynamic_shared_memory_type"] == "sysv"


@pytest.mark.parametrize(("disk", "log"), [(2**30, "1GB"), (2**36, "8GB"), (2**40, "16GB")])
def test_the_log_takes_its_share_of_the_disk(disk, log):
    assert server_settings(2**33, 2**26, disk)["max_wal_size"] == log
