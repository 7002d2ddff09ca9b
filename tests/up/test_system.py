"""What the machine must bring."""

import os
import socket

import pytest

from moc.up import system
from moc.up.bootstrap import ROOT, Refusal
from moc.up.checks import without_addresses


def test_a_taken_port_is_refused_by_name_of_the_holder():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Refusal, match=rf"Port {port} .*process {os.getpid()} .*PORT={port + 1}"):
            system.require_free_port("127.0.0.1", port)
    system.require_free_port("127.0.0.1", port)


def test_without_root_the_exact_command_is_told(monkeypatch):
    monkeypatch.setattr(system, "apt_install", lambda _packages: False)
    with pytest.raises(Refusal, match="apt-get install --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0"):
        system.require_installed(lambda: ["libpango-1.0-0", "libpangoft2-1.0-0"])


def test_nothing_is_asked_for_when_nothing_is_missing(monkeypatch):
    monkeypatch.setattr(system, "has_library", lambda _name: True)
    assert system.missing_pango() == []
    assert system.install_missing(system.missing_pango) is None


def test_all_of_pango_is_named_when_it_is_missing(monkeypatch):
    monkeypatch.setattr(system, "has_library", lambda _name: False)
    assert system.missing_pango() == ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"]
    assert "libatomic1" in system.missing_browser()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-node.lock", "package-lock.json"])
def test_locks_name_no_address(name):
    assert "://" not in (ROOT / name).read_text()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-node.lock"])
def test_every_locked_package_has_hashes(name):
    entries = (ROOT / name).read_text().replace("\\\n", "").splitlines()
    pinned = [line for line in entries if "==" in line and not line.lstrip().startswith("#")]
    assert pinned
    assert all("--hash=sha256:" in line for line in pinned)


def test_the_front_end_lock_is_stripped_of_addresses_only():
    lock = {"packages": {"a": {"version": "1", "resolved": "somewhere", "funding": {"url": "elsewhere"}, "integrity": "sha512-x"}}}
    assert without_addresses(lock) == {"packages": {"a": {"version": "1", "integrity": "sha512-x"}}}
