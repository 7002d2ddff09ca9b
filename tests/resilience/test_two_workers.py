"""Two task workers at one Redis compute envelopes, and one is killed in the middle: no run is lost, none is done twice (N13, O4).

Every message is delivered twice, as Redis does with what a dead worker had taken and not yet acknowledged."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from kombu import Connection

from moc import sight
from moc.history import acting
from moc.jobs import services as jobs
from moc.jobs.models import Job
from moc.up.bootstrap import ROOT, VAR, apt_install
from operations.envelopes.models import EnvelopeBlock, EnvelopePolicy, EnvelopeReceipt, EnvelopeRun
from operations.envelopes.services import life
from tests.factories.filings import store_in
from tests.factories.networks import current, der, midnight, points_of
from tests.factories.world import REASON, build

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
PATIENCE_S, SILENT_S, DAYS = 180, 20, 4
WORKER = ("-P", "solo", "--without-gossip", "--without-mingle", "--loglevel", "WARNING")


@pytest.fixture
def broker(tmp_path) -> Iterator[str]:
    """A Redis of the test's own, at a socket; its address."""
    if shutil.which("redis-server") is None:
        (VAR / "log").mkdir(parents=True, exist_ok=True)
        assert apt_install(["redis-server"]), "redis-server is missing, and this user may not install it"
    socket = tmp_path / "redis.sock"
    given = {"port": "0", "unixsocket": str(socket), "save": "", "appendonly": "no", "dir": str(tmp_path), "logfile": "redis.log"}
    server = subprocess.Popen(["redis-server", *(word for name, value in given.items() for word in (f"--{name}", value))])
    try:
        wait_for(socket.exists, "Redis does not start")
        yield f"redis+socket://{socket}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def ordered(settings, tmp_path, broker, monkeypatch) -> list[EnvelopeRun]:
    """Days of envelopes of two feeders, whose sets are published by themselves; their messages wait at the broker, each twice."""
    store_in(settings, tmp_path)
    settings.CELERY_TASK_ALWAYS_EAGER = False
    world = build()
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, auto_publish=True)
        for feeder in world.feeders["edc"][:2]:
            for point in points_of(feeder)[:3]:
                der(world, point)
    with Connection(broker) as bus:

        def send(task: str, pk: int) -> None:
            for _ in range(2):
                current_app.send_task(task, args=[pk], ignore_result=True, connection=bus)

        monkeypatch.setattr(jobs, "_send", send)
        feeders = world.feeders["edc"][:2]
        for feeder in feeders:
            current(world, feeder)
        yield [
            life.order(actor=None, feeder=feeder, starts_at=midnight(day), hours=24, step_minutes=30)
            for day in range(1, DAYS + 1)
            for feeder in feeders
        ]


def worker(number: int, broker: str, folder: Path) -> subprocess.Popen:
    """A Celery worker on the test's database and files."""
    database = connection.settings_dict
    host = database.get("HOST") or (database.get("OPTIONS") or {}).get("host", "")
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{database['USER']}@/{database['NAME']}?host={host}",
        "DJANGO_SETTINGS_MODULE": "tests.scale.worker_settings",
        "MOC_MEDIA": str(django_settings.MEDIA_ROOT),
        "MOC_VAR": str(folder),
        "MOC_BROKER": broker,
    }
    command = [sys.executable, "-m", "celery", "-A", "moc", "worker", "-n", f"w{number}@test", *WORKER]
    with (folder / f"worker{number}.log").open("wb") as output:
        return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)


def wait_for(true: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until, otherwise
        time.sleep(0.05)


def sweep() -> None:
    """What the beat does: jobs of which nothing was heard for long are taken from the dead; here `long` is shorter."""
    silent = Job.objects.filter(status=Job.Status.RUNNING, heartbeat_at__lt=timezone.now() - timedelta(seconds=SILENT_S))
    silent.update(heartbeat_at=timezone.now() - 2 * Job.DEAD_AFTER)
    jobs.sweep()


@sight.engine()
def test_one_of_two_workers_is_killed(ordered, broker, tmp_path):
    keys = [run.job_id for run in ordered]
    mine, running = Job.objects.filter(pk__in=keys), Job.objects.filter(pk__in=keys, status=Job.Status.RUNNING)
    workers = [worker(number, broker, tmp_path) for number in (1, 2)]
    try:
        wait_for(lambda: running.count() == 2, "the workers do not both take a run")
        workers[0].send_signal(signal.SIGKILL)
        workers[0].wait()
        left = set(running.values_list("pk", flat=True))
        assert left, "it was killed between two runs"

        def done() -> bool:
            sweep()
            return not mine.open().exists()

        wait_for(done, f"not all runs were computed: {list(mine.values_list('status', flat=True))}")
    finally:
        for each in workers:
            each.kill()
            each.wait()
    assert set(mine.values_list("status", flat=True)) == {Job.Status.DONE}
    again = set(mine.filter(attempts=2).values_list("pk", flat=True))
    assert len(again) == 1 and again <= left and set(mine.exclude(pk__in=again).values_list("attempts", flat=True)) == {1}
    runs = EnvelopeRun.objects.filter(pk__in=[run.pk for run in ordered])
    assert set(runs.values_list("status", flat=True)) == {EnvelopeRun.Status.PUBLISHED}, "days do not replace each other"
    for run in runs:
        computed = run.history.filter(status=EnvelopeRun.Status.COMPUTED).count()
        assert (computed, run.history.filter(status=EnvelopeRun.Status.PUBLISHED).count()) == (1, 1)
    assert EnvelopeBlock.objects.filter(run__in=runs).count() == 2 * len(ordered)
    assert EnvelopeReceipt.objects.filter(run__in=runs).count() == len(ordered)
    for feeder in {run.feeder_id for run in ordered}:
        assert sorted(runs.filter(feeder=feeder).values_list("number", flat=True)) == list(range(1, DAYS + 1))
