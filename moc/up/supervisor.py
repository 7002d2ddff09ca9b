"""`make up`: bring the platform up, watch over it, and take all of it down again."""

import contextlib
import fcntl
import http.client
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from .bootstrap import ROOT, VAR, Refusal, digest, is_stamped, last_lines, say, step
from .environment import PYTHON, TO_MIGRATE, database, manage
from .postgres import Cluster
from .processes import GRACE_SECONDS, Service, kill_group, record_process, stop_all, sweep
from .system import install_front_end, missing_pango, require_free_port, require_installed

READY_SECONDS = 60
RESTARTS = 3  # of one service within RESTART_WINDOW seconds; more means that it cannot run
RESTART_WINDOW = 300
STATIC_STAMP = VAR / "static" / "moc.stamp"


class Stopped(BaseException):
    """A signal asks us to stop. Not an Exception, so that no handler of errors swallows it."""


def up() -> int:
    """Run the platform until a signal; the exit code of the command."""
    with only_one(), stopping_on_signals():
        try:
            return _up()
        except Stopped:
            say("Stopped.")
            return 0


def _up() -> int:
    host, port = address()
    sweep()
    require_free_port(host, port)
    require_installed(missing_pango)
    install_front_end()
    with database() as (environment, cluster):
        environment.setdefault("DJANGO_SETTINGS_MODULE", "moc.settings.base")
        environment.setdefault("MOC_PUBLIC_URL", f"http://localhost:{port}")
        prepare(environment)
        services = make_services(environment, host, port)
        try:
            return serve(services, cluster, f"{host}:{port}")
        finally:
            say("Stopping ...")
            stop_all(services)


def address() -> tuple[str, int]:
    """Where to listen, from BIND and PORT."""
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Refusal(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return os.environ.get("BIND") or "127.0.0.1", int(text)


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Refuse a second `make up` in this checkout; the lock file names the first."""
    with (VAR / "run" / "up.lock").open("a+") as lock:
        lock.seek(0)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refusal(
                f"The platform of this checkout already runs (process {lock.read()}). Stop it with Ctrl-C there, or: make stop"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def stop_running() -> bool:
    """Ask a running `make up` of this checkout to stop and wait for its end; False when there is none."""
    path = VAR / "run" / "up.lock"
    with path.open("a+") as lock:
        lock.seek(0)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.kill(int(lock.read()), signal.SIGTERM)
            fcntl.flock(lock, fcntl.LOCK_EX)
            return True
    return False


@contextlib.contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Turn Ctrl-C, SIGTERM and a closed terminal into Stopped, once: the second must not interrupt the stopping."""

    def stop(_number: int, _frame: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_command(environment: Mapping[str, str], name: str, command: Sequence[str | Path]) -> int:
    """Run a command on the terminal, in its own group so that a stop reaches it only through us; its exit code."""
    record = VAR / "run" / f"{name}.pid"
    process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL, process_group=0)
    record_process(record, process.pid)
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        kill_group(process.pid, signal.SIGKILL)
        process.wait()
        raise
    finally:
        record.unlink(missing_ok=True)


def prepare(environment: Mapping[str, str]) -> None:
    """Bring database, static files and demonstration state up to date, and print the logins."""
    for folder in ("broker", "broker-control", "media"):
        (VAR / folder).mkdir(exist_ok=True)
    question = [PYTHON, "-m", "moc.up.ready"]
    with collected_static(environment):
        code = run_command(environment, "ready", question)
        if code == TO_MIGRATE:
            with step("Database schema"):
                code = run_command(environment, "migrate", manage("migrate", "--noinput", "--verbosity", "0"))
            code = code or run_command(environment, "ready", question)
        if code:
            raise Refusal(f"The database could not be made ready (exit {code}).")


@contextlib.contextmanager
def collected_static(environment: Mapping[str, str]) -> Iterator[None]:
    """Collect the static files beside the block, if any of them changed; they are there when it ends."""
    wanted = static_digest()
    if is_stamped(STATIC_STAMP, wanted):
        yield
        return
    collecting = Service("collectstatic", manage("collectstatic", "--noinput", "--clear"), environment)
    collecting.start()
    try:
        yield
        if collecting.process.wait():
            raise Refusal(f"{last_lines(collecting.log)}\ncollectstatic failed; all of it is in var/log/{collecting.log.name}.")
        STATIC_STAMP.write_text(wanted)
    finally:
        collecting.finish(time.monotonic())


def static_digest() -> str:
    """The stamp of everything that collectstatic reads: the two locks, and name, size and time of our own static files."""
    own = sorted(path for app in ROOT.glob("*/apps.py") for path in (app.parent / "static").rglob("*") if path.is_file())
    listing = VAR / "run" / "static-files"
    listing.write_text("\n".join(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in own))
    return digest(ROOT / "requirements.lock", ROOT / "package-lock.json", listing)


def make_services(environment: Mapping[str, str], host: str, port: int) -> list[Service]:
    """Web server, worker and clock; each talks to the others only through database and broker."""
    granian = ["granian", "--interface", "asgi", "--host", host, "--port", str(port), "--workers", "2", "--no-ws", "moc.asgi:application"]
    celery = [PYTHON, "-m", "celery", "-A", "moc"]
    processes = str(min(2, os.cpu_count() or 1))
    worker = [
        "worker",
        "--concurrency",
        processes,
        "--loglevel",
        "INFO",
        "--without-gossip",
        "--without-mingle",
        "--hostname",
        "worker@moc",
    ]
    beat = ["beat", "--loglevel", "INFO", "--schedule", VAR / "run" / "beat-schedule", "--pidfile", ""]
    return [
        Service("web", [PYTHON, "-m", *granian], environment),
        Service("worker", ["nice", "-n", "5", *celery, *worker], environment),  # on few cores pages come before background work
        Service("beat", [*celery, *beat], environment),
    ]


def serve(services: list[Service], cluster: Cluster | None, place: str) -> int:
    """Start the services, say where they are, and watch them; returns only when one of them cannot be kept alive."""
    web, *others = services
    web.start()
    wait_for_web(web, place)
    for service in others:  # after the first page: nobody waits for them
        service.start()
    shown = place.replace("0.0.0.0", "localhost").replace("127.0.0.1", "localhost")
    say(f"\nThe platform runs at http://{shown}/  (logs in var/log; Ctrl-C stops it)")
    ends: dict[str, list[float]] = {service.name: [] for service in services}
    while all(keep_alive(service, ends[service.name]) for service in services):
        if cluster and cluster.revive():
            say("PostgreSQL had ended and was started again.")
        time.sleep(0.5)
    return 1


def wait_for_web(web: Service, place: str) -> None:
    """Return when the web server answers a request, whatever it answers."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if web.exit_code() is not None:
            break
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(place.replace("0.0.0.0", "127.0.0.1"), timeout=READY_SECONDS)
            connection.request("GET", "/", headers={"Host": "localhost"})
            connection.getresponse().read()
            return
        time.sleep(0.1)
    raise Refusal(f"{last_lines(web.log)}\nThe web server does not answer; all of it is in var/log/{web.log.name}.")


def keep_alive(service: Service, ends: list[float]) -> bool:
    """Start a service again that ended; False when it keeps ending."""
    code = service.exit_code()
    if code is None:
        return True
    now = time.monotonic()
    ends[:] = [end for end in ends if now - end < RESTART_WINDOW] + [now]
    if len(ends) > RESTARTS:
        say(f"{last_lines(service.log)}\nThe {service.name} ended again (exit {code}); its log is var/log/{service.log.name}.")
        return False
    say(f"The {service.name} ended (exit {code}) and is started again; its log is var/log/{service.name}.log.1")
    kill_group(service.process.pid, signal.SIGKILL)
    service.start()
    return True
