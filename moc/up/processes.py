"""Child processes: each in a process group of its own, its output in var/log, its id in var/run for the run after a kill."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .bootstrap import ROOT, VAR, say

GRACE_SECONDS = 10


def start_time(pid: int) -> str | None:
    """When a process began, in ticks of the kernel: tells it from a later one with the same id. None if it is gone, or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def record_process(path: Path, pid: int) -> None:
    """Write down a process of ours, so that the run after a kill finds it and takes no other for it."""
    path.write_text(f"{pid} {start_time(pid)}")


class Service:
    """One long-running child."""

    def __init__(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        self.name, self.command, self.environment = name, command, environment
        self.log = VAR / "log" / f"{name}.log"
        self.record = VAR / "run" / f"{name}.pid"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it; the log of the start before is kept as .log.1."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("wb") as output:
            options = {
                "stdin": subprocess.DEVNULL,
                "stdout": output,
                "stderr": subprocess.STDOUT,
                "cwd": ROOT,
                "env": dict(self.environment),
            }
            self.process = subprocess.Popen(self.command, process_group=0, **options)
        record_process(self.record, self.process.pid)

    def exit_code(self) -> int | None:
        """None while it runs (or was never started)."""
        return self.process.poll() if self.process else None

    def ask_to_stop(self) -> None:
        """Tell only the leader: it knows how to wind its own workers down."""
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def finish(self, deadline: float) -> None:
        """Wait for the end until the deadline (monotonic seconds), then kill whatever is left of its group."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(f"The {self.name} did not stop in {GRACE_SECONDS} s and is killed; unfinished jobs are taken up at the next start.")
        kill_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.record.unlink(missing_ok=True)


def kill_group(group: int, number: signal.Signals) -> None:
    """Signal every process of a group that may already be gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def stop_all(services: Iterable[Service]) -> None:
    """Stop services together, each with the same time to finish."""
    services = list(services)
    deadline = time.monotonic() + GRACE_SECONDS
    for service in services:
        service.ask_to_stop()
    for service in services:
        service.finish(deadline)


def sweep() -> None:
    """Stop what a killed run left behind, by the ids it recorded and never by name."""
    for record in sorted((VAR / "run").glob("*.pid")):
        pid, _, began = record.read_text().partition(" ")
        if pid.isdigit() and began and start_time(int(pid)) == began:
            say(f"The last run was killed and left its {record.stem} (process {pid}) behind; stopping it.")
            _end_group(int(pid))
        record.unlink()


def _end_group(leader: int) -> None:
    kill_group(leader, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while start_time(leader) and time.monotonic() < deadline:
        time.sleep(0.05)
    kill_group(leader, signal.SIGKILL)
    while start_time(leader):
        time.sleep(0.05)
