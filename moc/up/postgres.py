"""The embedded PostgreSQL: a cluster of this checkout, on a unix socket only, for people of this operating system account only.

Three roles, reached by peer authentication: `moc_owner` migrates, `moc_app` is what every process of the platform runs as (it takes the
role `moc_engine`, which nobody signs in as, to write inside services), and the superuser `postgres` serves this launcher and the test
runner. In production DATABASE_URL names a real server instead.
"""

import contextlib
import fcntl
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg

from .bootstrap import Refusal, digest, is_stamped, last_lines, say
from .place import Place, servers_of
from .provision import APP, DATABASE, OWNER, SUPERUSER, provision, write_configuration

PROVISION = Path(__file__).with_name("provision.py")
START_SECONDS = 300  # recovery after a crash may have 16 GB of log to read


class Cluster:
    """One PostgreSQL server and its data. `start` and `stop` may be called at any time, by any number of processes."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.log = place.home / "run" / "postgres.log"
        self.stay_marker = place.home / "stay"
        self.ready_marker = place.home / "provisioned"

    def url(self, role: str) -> str:
        """The address of the database as a role, in the form that settings read."""
        return f"postgres://{role}@/{DATABASE}?host={quote(str(self.place.sockets))}"

    def environment(self) -> dict[str, str]:
        """DATABASE_URL and its two companions for this cluster."""
        roles = {"DATABASE_URL": APP, "DATABASE_OWNER_URL": OWNER, "DATABASE_SUPERUSER_URL": SUPERUSER}
        return {name: self.url(role) for name, role in roles.items()}

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection as superuser."""
        return psycopg.connect(host=str(self.place.sockets), port=5432, user=SUPERUSER, dbname=database, autocommit=True, connect_timeout=5)

    def is_ready(self) -> bool:
        """Whether the server answers."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Run the server for the block. The last block to leave stops it, unless `stay` was asked for."""
        with (self.place.home / "users.lock").open("w") as users:
            with self._alone():
                fcntl.flock(users, fcntl.LOCK_SH)
                self._start()
            try:
                yield
            finally:
                with self._alone():
                    if self._is_last(users) and not self.stay_marker.exists():
                        self._stop()

    def stay(self) -> None:
        """Start the server and let it run until `stop`."""
        with self._alone():
            self.stay_marker.touch()
            self._start()

    def stop(self) -> bool:
        """Stop the server; False when it did not run."""
        with self._alone():
            self.stay_marker.unlink(missing_ok=True)
            return self._stop()

    def revive(self) -> bool:
        """Start the server again if it ended under a user of it; False when it is well."""
        if servers_of(self.place.data):
            return False
        with self._alone():
            return self._start()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.place.home / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @staticmethod
    def _is_last(users) -> bool:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _start(self) -> bool:
        started = not self.is_ready()
        if started:
            self._initialise()
            write_configuration(self.place)
            self._clear_away_dead_server()
            self._launch()
        state = digest(PROVISION)
        if not is_stamped(self.ready_marker, state):
            provision(self.connect)
            self.ready_marker.write_text(state)
        return started

    def _initialise(self) -> None:
        """Make the data folder under another name, so that a run killed halfway leaves nothing that looks whole."""
        if self.place.data.exists():
            self._check_version()
            return
        unfinished = self.place.home / "data-unfinished"
        if unfinished.exists():
            say("An earlier run was stopped while it made the database; starting afresh.")
            shutil.rmtree(unfinished)
        self.ready_marker.unlink(missing_ok=True)
        options = ["--username", SUPERUSER, "--auth", "peer", "--encoding", "UTF8", "--locale-provider", "builtin", "--locale", "C.UTF-8"]
        self._run("initdb", "--pgdata", str(self.place.own(unfinished)), "--no-instructions", *options)
        unfinished.rename(self.place.data)

    def _check_version(self) -> None:
        has = (self.place.data / "PG_VERSION").read_text().strip()
        runs = self._run("postgres", "--version").split()[-1].partition(".")[0]
        if has != runs:
            raise Refusal(
                f"The data in {self.place.data} is of PostgreSQL {has}, the installed one is {runs}. Move it with pg_upgrade "
                "or pg_dump of both versions, or remove the folder to start with an empty database."
            )

    def _clear_away_dead_server(self) -> None:
        """After a kill, wait for orphaned processes to end; then remove what names their leader (now a zombie or a stranger)."""
        pid_file = self.place.data / "postmaster.pid"
        leader = int(pid_file.read_text().split()[0]) if pid_file.exists() else 0
        deadline = time.monotonic() + 10
        while (left := servers_of(self.place.data)) and leader not in left and time.monotonic() < deadline:
            time.sleep(0.1)
        if left:
            return
        if leader:
            say("PostgreSQL was killed; it recovers what was committed.")
        for leftover in (pid_file, self.place.socket, self.place.socket.with_name(f"{self.place.socket.name}.lock")):
            leftover.unlink(missing_ok=True)

    def _launch(self) -> None:
        self.place.own(self.log.parent)
        options = f"-c config_file={shlex.quote(str(self.place.home / 'postgresql.conf'))}"
        problem = ""
        try:
            self._run("pg_ctl", "start", "-D", str(self.place.data), "-l", str(self.log), "-o", options, "-w", "-t", str(START_SECONDS))
        except Refusal as refusal:  # a server that is still starting makes pg_ctl fail, and becomes ready all the same
            problem = f"{refusal}\n"
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if not servers_of(self.place.data) or time.monotonic() > deadline:
                raise Refusal(f"{problem}{last_lines(self.log, 10)}\nPostgreSQL does not start; its log is {self.log}.")
            time.sleep(0.1)

    def _stop(self) -> bool:
        if not servers_of(self.place.data):
            return False
        for mode in ("fast", "immediate"):
            with contextlib.suppress(Refusal):
                self._run("pg_ctl", "stop", "-D", str(self.place.data), "-m", mode, "-w", "-t", "60")
                return True
        raise Refusal(f"PostgreSQL does not stop; its log is {self.log}.")

    def _run(self, program: str, *arguments: str) -> str:
        # Output goes to a file: the server inherits it, and a pipe would stay open as long as the server runs.
        with (self.place.home / "launcher.log").open("w+") as output:
            command = [self.place.binaries / program, *arguments]
            done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False, **self.place.as_account())
            output.seek(0)
            text = output.read().strip()
        if done.returncode:
            raise Refusal(f"{text}\n{program} failed (exit {done.returncode}).")
        return text
