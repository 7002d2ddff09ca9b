"""The command line of this package; the Makefile calls it."""

import subprocess
import sys
from collections.abc import Sequence

from . import checks, supervisor
from .bootstrap import ROOT, VAR, Refusal, prepare_var, say
from .environment import database, manage
from .place import find_place
from .postgres import Cluster
from .processes import sweep


def postgres() -> int:
    """Start the embedded server to stay, and print its addresses as assignments for the shell."""
    cluster = Cluster(find_place(ROOT))
    cluster.stay()
    for name, value in cluster.environment().items():
        say(f"{name}='{value}'")
    return 0


def stop() -> int:
    """Stop everything of this checkout that runs."""
    stopped = supervisor.stop_running()
    sweep()
    if (VAR / "pg").exists() or (VAR / "pg.path").exists():
        stopped = Cluster(find_place(ROOT)).stop() or stopped
    say("Stopped." if stopped else "Nothing of this checkout runs.")
    return 0


def managed(arguments: Sequence[str]) -> int:
    """One of Django's commands on this checkout's database, whether the platform runs or not; its exit code."""
    with database() as (environment, _):
        return subprocess.call(manage(*arguments or ["help"]), cwd=ROOT, env=environment)


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code."""
    commands = {
        "up": supervisor.up,
        "postgres": postgres,
        "stop": stop,
        "test": lambda: checks.test(arguments[1:]),
        "lint": lambda: 1 if checks.lint() else 0,
        "bench": lambda: checks.bench(arguments[1:]),
        "lock": checks.lock,
        "manage": lambda: managed(arguments[1:]),
    }
    command = commands.get(arguments[0] if arguments else "up")
    if command is None:
        say(f"Commands: {', '.join(commands)}.")
        return 2
    try:
        prepare_var()
        return command()
    except Refusal as refusal:
        say(str(refusal))
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
