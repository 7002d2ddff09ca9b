"""What is inside the embedded PostgreSQL: its configuration, and the roles, database and extensions that the platform expects."""

import os
import pwd
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg

from .place import Place

DATABASE = "moc"
SUPERUSER, OWNER, APP, ENGINE = "postgres", "moc_owner", "moc_app", "moc_engine"
EXTENSIONS = ("btree_gist", "pg_trgm")
# under row-level security an index serves only comparisons that are declared to tell nothing; PostgreSQL does not say so of numbers'
LEAKPROOF = ("numeric_lt", "numeric_le", "numeric_eq", "numeric_ne", "numeric_ge", "numeric_gt", "numeric_cmp")


def write_configuration(place: Place) -> None:
    """Write the server's configuration outside its data folder, where the server itself cannot change it."""
    names = {pwd.getpwuid(os.geteuid()).pw_name, place.account.pw_name}
    settings = {
        **server_settings(_memory_bytes(), _shared_memory_bytes(), shutil.disk_usage(place.home).free),
        "unix_socket_directories": f'"{place.sockets}"',
        "hba_file": place.home / "pg_hba.conf",
        "ident_file": place.home / "pg_ident.conf",
    }
    quoted = {name: str(value).replace("'", "''") for name, value in settings.items()}
    files = {
        "postgresql.conf": "".join(f"{name} = '{value}'\n" for name, value in quoted.items()),
        "pg_hba.conf": "local all all peer map=moc\n",
        "pg_ident.conf": "".join(f'moc "{name}" {role}\n' for name in sorted(names) for role in (SUPERUSER, OWNER, APP)),
    }
    for name, text in files.items():
        (place.home / name).write_text(text)
        (place.home / name).chmod(0o644)


def provision(connect: Callable[[str], psycopg.Connection]) -> None:
    """Make roles, database and extensions. Every statement may be repeated, so a run killed between two of them does no harm.

    `connect` takes a database name and connects as superuser. The extensions are also put into template1: test databases come from it.
    """
    with connect("postgres") as server:
        roles = ((OWNER, "LOGIN CREATEDB NOSUPERUSER"), (APP, "LOGIN NOSUPERUSER"), (ENGINE, "NOLOGIN BYPASSRLS"))
        for role, rights in roles:
            if not server.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount:
                server.execute(f"CREATE ROLE {role} {rights}")
        server.execute(f"GRANT {ENGINE} TO {APP} WITH INHERIT FALSE, SET TRUE")
        if not server.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
            server.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        server.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
        server.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {APP}, {ENGINE}")
    for database in ("template1", DATABASE):
        with connect(database) as server:
            for extension in EXTENSIONS:
                server.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
            for comparison in LEAKPROOF:
                server.execute(f"ALTER FUNCTION pg_catalog.{comparison}(numeric, numeric) LEAKPROOF")
    with connect(DATABASE) as server:
        server.execute(f"ALTER SCHEMA public OWNER TO {OWNER}")
        server.execute(f"GRANT USAGE ON SCHEMA public TO {APP}, {ENGINE}")


def _shared_memory_bytes() -> int:
    return shutil.disk_usage("/dev/shm").total if Path("/dev/shm").exists() else 0


def server_settings(memory_bytes: int, shared_memory_bytes: int, disk_bytes: int) -> dict[str, str | int]:
    """Settings of the server for a machine with this much memory, room in /dev/shm (parallel queries need it) and free disk.

    Deciding a million DERs writes 6 GB of log; a checkpoint in the middle of it would have every page logged whole once more.
    """
    mebibytes = memory_bytes // 2**20
    return {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "shared_buffers": f"{max(64, min(4096, mebibytes // 6))}MB",
        "work_mem": f"{max(4, min(64, mebibytes // 256))}MB",
        "maintenance_work_mem": f"{max(64, min(512, mebibytes // 32))}MB",
        "effective_cache_size": f"{max(128, mebibytes // 2)}MB",
        "dynamic_shared_memory_type": "posix" if shared_memory_bytes >= 2**30 else "sysv",
        "max_connections": 100,
        "wal_buffers": "64MB",
        "wal_compression": "on",
        "max_wal_size": f"{max(1, min(16, disk_bytes // 2**33))}GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": 1.1,
        "jit": "off",
        "fsync": "on",
        "log_checkpoints": "off",
    }


def _memory_bytes() -> int:
    """The memory of the machine, or of the container around us when that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.is_file() else "max"
    return machine if text == "max" else min(machine, int(text))
