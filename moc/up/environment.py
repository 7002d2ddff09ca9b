"""The environment of the processes that we start, and the database behind it."""

import base64
import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from .bootstrap import ROOT, VAR, VENV, step
from .place import find_place
from .postgres import Cluster

PYTHON = VENV / "bin" / "python"
TO_MIGRATE = 3  # what moc.up.ready answers when a migration is missing


def secret_key() -> str:
    """The key of this checkout's sessions and signatures."""
    return _made_once("secret_key", lambda: secrets.token_urlsafe(50))


def master_key() -> str:
    """The key that wraps this checkout's data keys: without it the personal data of its database are lost."""
    return _made_once("master_key", lambda: base64.b64encode(secrets.token_bytes(32)).decode())


def seal_key() -> str:
    """The key that signs this checkout's seals."""
    return _made_once("seal_key", lambda: base64.b64encode(secrets.token_bytes(32)).decode())


def _made_once(name: str, make: Callable[[], str]) -> str:
    """A secret in var/, kept readable for its user only."""
    path = VAR / name
    if not path.is_file() or not path.read_text().strip():
        unfinished = path.with_suffix(".new")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make())
        unfinished.replace(path)
    return path.read_text().strip()


def base_environment() -> dict[str, str]:
    """What every child gets: our own variables win nothing over those that the person set."""
    defaults = {
        "SECRET_KEY": os.environ.get("SECRET_KEY") or secret_key(),
        "MOC_MASTER_KEYS": os.environ.get("MOC_MASTER_KEYS") or master_key(),
        "MOC_SEAL_KEY": os.environ.get("MOC_SEAL_KEY") or seal_key(),
    }
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, **defaults, "PATH": path, "PYTHONPATH": str(ROOT), "VIRTUAL_ENV": str(VENV), "PYTHONUNBUFFERED": "1"}


@contextlib.contextmanager
def database() -> Iterator[tuple[dict[str, str], Cluster | None]]:
    """The environment with a database in it: the one of DATABASE_URL, else the embedded one, which runs for the block."""
    environment = base_environment()
    if environment.get("DATABASE_URL"):
        yield environment, None
        return
    with step("PostgreSQL"):
        cluster = Cluster(find_place(ROOT))
        running = contextlib.ExitStack()
        running.enter_context(cluster.in_use())
    with running:
        yield {**environment, **cluster.environment()}, cluster


def manage(*arguments: str) -> list[str | Path]:
    """The command line of one of Django's commands."""
    return [PYTHON, ROOT / "manage.py", *arguments]
