"""Make the virtual environment. Runs as a script before it exists, so this file uses the standard library only.

The rest of the package takes its words (`say`, `step`, `Refusal`), its stamps and its apt from here.
"""

from __future__ import annotations  # an older Python must get far enough to be told that it is too old

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"


class Refusal(Exception):
    """The command cannot go on; the text says why and what the person must do."""


def say(line: str) -> None:
    """Print one line for the person at the terminal, at once."""
    print(line, flush=True)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step that takes a while, and how long it took."""
    say(f"{title} ...")
    began = time.monotonic()
    yield
    say(f"{title}: done in {time.monotonic() - began:.1f} s")


def digest(*files: Path) -> str:
    """The stamp of some input files: equal digests mean that the work made from them is still good."""
    found = hashlib.sha256()
    for file in files:
        found.update(file.read_bytes())
    return found.hexdigest()


def is_stamped(stamp: Path, value: str) -> bool:
    """Whether the stamp file says that the work for `value` was finished."""
    return stamp.is_file() and stamp.read_text() == value


def prepare_var() -> None:
    """Make the folders of the runtime state, or refuse if they belong to somebody else."""
    try:
        for folder in (VAR, VAR / "log", VAR / "run"):
            folder.mkdir(exist_ok=True)
            (folder / ".writable").touch()
            (folder / ".writable").unlink()
    except OSError as error:
        raise Refusal(f"Cannot write to {error.filename}: run as the user who made it, or remove the folder var/.") from error


def run(command: Sequence[str | Path], log: str, **options) -> None:
    """Run a command with its output in var/log/<log>.log; a failure shows the last lines of it."""
    path = VAR / "log" / f"{log}.log"
    with path.open("wb") as output:
        finished = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, check=False, **options
        )
    if finished.returncode:
        raise Refusal(
            f"{last_lines(path)}\n{Path(command[0]).name} failed (exit {finished.returncode}); all of it is in var/log/{path.name}."
        )


def last_lines(path: Path, count: int = 25) -> str:
    """The end of a log file, for the person who must find out what went wrong."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:]) if path.is_file() else ""


def apt_prefix() -> list[str] | None:
    """The words to put before apt-get: none as root, sudo when it asks for no password; None when apt is out of reach."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def apt_line(packages: Sequence[str]) -> str:
    """What a person has to type to install these packages."""
    return "apt-get install --no-install-recommends " + " ".join(packages)


def apt_install(packages: Sequence[str]) -> bool:
    """Install system packages; False when this user may not. A failed download refuses, with apt's own words."""
    prefix = apt_prefix()
    if prefix is None:
        return False
    environment = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120"]
    with step(f"System packages {' '.join(packages)}"):
        run([*environment, "update"], "apt-update")
        run([*environment, "install", "-y", "--no-install-recommends", *packages], "apt-install")
    return True


def venv_command() -> list[str | Path]:
    """How this Python can make a virtual environment: with its own pip, else with the pip outside of it, else after apt."""
    if importlib.util.find_spec("ensurepip") is None and importlib.util.find_spec("pip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        if not apt_install([package]):
            raise Refusal(f"Python can make no virtual environment. As root: {apt_line([package])}")
        importlib.invalidate_caches()
    without_pip = ["--without-pip"] if importlib.util.find_spec("ensurepip") is None else []
    return [sys.executable, "-m", "venv", "--clear", *without_pip, VENV]


def pip_command() -> list[str | Path]:
    """The pip that installs into the virtual environment: the one inside, else that of the Python it was made from, aimed at it."""
    python = VENV / "bin" / "python"
    inside = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    pip = [python, "-m", "pip"] if inside else [python.resolve(), "-m", "pip", "--python", python]
    return [*pip, "--quiet", "--disable-pip-version-check", "--no-input"]


def is_sound(stamp: Path) -> bool:
    """Whether packages can be installed on top: the interpreter starts, the folder was not moved, no earlier run was killed halfway."""
    python = VENV / "bin" / "python"
    if not os.access(python, os.X_OK) or (stamp.is_file() and not stamp.read_text().endswith(f" {VENV}")):
        return False
    return subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False).returncode == 0


def make_venv() -> None:
    """Bring .venv to the state of requirements.lock, every file checked against its hash; nothing to do if the lock is unchanged."""
    stamp, wanted = VENV / "moc.stamp", f"{digest(LOCK)} {VENV}"
    if is_stamped(stamp, wanted) and is_sound(stamp):
        return
    prepare_var()
    with step("Python packages"):
        if not is_sound(stamp):
            run(venv_command(), "venv")
        stamp.write_text("unfinished")
        run([*pip_command(), "install", "--require-hashes", "--no-deps", "-r", LOCK], "pip")
        stamp.write_text(wanted)


def main() -> int:
    """Entry point of the script."""
    if sys.version_info < (3, 11):  # noqa: UP036  (the one file that an older Python reads)
        say(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}. Choose another with: make PYTHON=python3.12 ...")
        return 1
    try:
        make_venv()
    except Refusal as refusal:
        say(str(refusal))
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
