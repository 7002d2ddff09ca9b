"""Child processes: stopped whole, and found again after a kill of their parent."""

import subprocess
import sys
import time

import pytest

from moc.up import processes, supervisor
from moc.up.bootstrap import Refusal
from moc.up.processes import Service, start_time, stop_all, sweep

SLEEP = [sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(600)"]
STUBBORN = ["sh", "-c", "trap '' TERM; sleep 600 & echo $!; wait"]


@pytest.fixture(autouse=True)
def var(tmp_path, monkeypatch):
    """Runtime state in a temporary folder, and no patience."""
    for module in (processes, supervisor):
        monkeypatch.setattr(module, "VAR", tmp_path)
    monkeypatch.setattr(processes, "GRACE_SECONDS", 1)
    for name in ("run", "log"):
        (tmp_path / name).mkdir()
    return tmp_path


def started(name, command):
    service = Service(name, command, {})
    service.start()
    while not service.log.read_text():
        time.sleep(0.01)
    return service


def test_services_stop_and_leave_no_record(var):
    services = [started("web", SLEEP), started("worker", SLEEP)]
    stop_all(services)
    assert [service.exit_code() for service in services] == [-15, -15]
    assert list((var / "run").iterdir()) == []


def test_a_service_that_does_not_stop_is_killed_with_its_children():
    service = started("worker", STUBBORN)
    child = int(service.log.read_text())
    assert start_time(child)
    stop_all([service])
    deadline = time.monotonic() + 5
    while start_time(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert start_time(child) is None


def test_what_a_killed_run_left_is_stopped_by_its_record(var, capsys):
    service = started("web", SLEEP)
    sweep()
    assert service.process.wait(5) == -15
    assert "left its web" in capsys.readouterr().out
    assert list((var / "run").glob("*.pid")) == []


def test_a_process_that_only_has_the_same_id_is_left_alone(var):
    with subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL) as stranger:
        (var / "run" / "web.pid").write_text(f"{stranger.pid} 1")
        sweep()
        assert stranger.poll() is None
        stranger.kill()
    assert list((var / "run").glob("*.pid")) == []


def test_a_service_is_started_again_but_not_for_ever(capsys):
    service, ends = Service("beat", [sys.executable, "-c", "print('broken')"], {}), []
    service.start()
    for _attempt in range(supervisor.RESTARTS):
        service.process.wait()
        assert supervisor.keep_alive(service, ends)
    service.process.wait()
    assert not supervisor.keep_alive(service, ends)
    assert "broken" in capsys.readouterr().out


def test_two_runs_in_one_checkout_are_refused():
    with supervisor.only_one(), pytest.raises(Refusal, match="already runs"), supervisor.only_one():
        pass
    assert not supervisor.stop_running()


@pytest.mark.parametrize("port", ["abc", "0", "70000", "-1"])
def test_an_impossible_port_is_refused(monkeypatch, port):
    monkeypatch.setenv("PORT", port)
    with pytest.raises(Refusal, match="PORT must be"):
        supervisor.address()


def test_static_files_of_every_package_are_collected_anew_when_they_change(var):
    """Upgraded pages with the style of the release before would show bands without colours."""
    supervisor.static_digest()
    listed = (var / "run" / "static-files").read_text()
    owners = {path.parent.name for path in supervisor.ROOT.glob("*/static") if (path.parent / "apps.py").exists()}
    assert {"moc", "registry", "operations"} <= owners
    assert all(f"/{owner}/static/" in listed for owner in owners)
