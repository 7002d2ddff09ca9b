"""Is the process alive (/healthz), and can it do its work (/readyz)?"""

import logging
from datetime import timedelta

from celery import current_app
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from moc import sight
from moc.jobs.models import Job

log = logging.getLogger(__name__)
UNTENDED_AFTER = timedelta(minutes=3)


class NotReady(Exception):
    """A part that is needed does not work; its text is for operators."""


def _database() -> None:
    connection.ensure_connection()
    if not connection.is_usable():
        raise NotReady("The database does not answer.")


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady("Migrations are waiting: run manage.py migrate.")


def _cache() -> None:
    cache.set("moc:ready", "yes", 60)
    if cache.get("moc:ready") != "yes":
        raise NotReady("The cache forgets.")


def _broker() -> None:
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)


def _jobs() -> None:
    """The beat's sweep wakes waiting jobs every 30 s: one that nobody woke or tended means that beat or worker stands still."""
    since = timezone.now() - UNTENDED_AFTER
    waiting = Job.objects.filter(status=Job.Status.QUEUED, woken_at__lt=since)
    running = Job.objects.filter(status=Job.Status.RUNNING, heartbeat_at__lt=since)
    if waiting.exists() or running.exists():
        raise NotReady("Jobs have been waiting for minutes: beat or worker stands still.")


CHECKS = {"database": _database, "migrations": _migrations, "cache": _cache, "broker": _broker, "jobs": _jobs}


def _passes(name: str, check) -> bool:
    try:
        with sight.engine():
            check()
    except Exception as error:  # whatever it is, we are not ready
        log.error("not ready: %s: %s", name, error)
        return False
    return True


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations, cache, broker and jobs are in order, else 503; why, stands in the log."""
    checks = {name: _passes(name, check) for name, check in CHECKS.items()}
    ready = all(checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)
