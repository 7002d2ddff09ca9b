"""Where the embedded PostgreSQL lives."""

import os
import stat

import pytest

from moc.up import place
from moc.up.bootstrap import Refusal


def test_a_socket_path_that_fits_is_kept(tmp_path):
    assert place._socket_folder(tmp_path, "moc-probe") == tmp_path


def test_a_socket_path_too_long_for_the_kernel_is_replaced(tmp_path):
    name = f"moc-probe-{os.getpid()}"
    short = place._socket_folder(tmp_path / ("x" * 100), name)
    try:
        assert len(os.fsencode(short / place.SOCKET_NAME)) <= place.SUN_PATH_BYTES
        assert stat.S_IMODE(short.stat().st_mode) == 0o700
    finally:
        short.rmdir()


def test_a_short_folder_that_is_a_trap_is_refused(tmp_path):
    trap = place.Path("/tmp") / f"moc-trap-{os.getpid()}"
    trap.symlink_to(tmp_path)
    try:
        with pytest.raises(Refusal, match="belongs to somebody else"):
            place._socket_folder(tmp_path / ("x" * 100), trap.name)
    finally:
        trap.unlink()


def test_the_database_of_a_vanished_checkout_is_kept_aside(tmp_path, monkeypatch, capsys):
    home = tmp_path / "0123456789ab"
    home.mkdir()
    (home / "data").write_text("precious")
    place._set_aside(home)
    assert not home.exists()
    [kept] = tmp_path.iterdir()
    assert (kept / "data").read_text() == "precious"
    assert str(kept) in capsys.readouterr().out


def test_servers_are_found_by_their_working_folder(tmp_path):
    assert place.servers_of(tmp_path) == []
    assert os.getpid() in place.servers_of(place.Path.cwd())
