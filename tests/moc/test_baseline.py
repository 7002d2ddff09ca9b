"""The security and operations baseline: headers, limits, health, metrics, logs, and settings fit for production."""

import asyncio
import base64
import json
import logging
import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from moc import health
from moc.jobs.models import Job
from moc.logs import JsonFormatter
from moc.middleware import FORM_OVERHEAD_BYTES, BodyLimit, client_address
from moc.settings.base import DEVELOPMENT_MASTER_KEY, DEVELOPMENT_SEAL_KEY
from tests.factories.world import PASSWORD

API = "/api/v1/anything/"


# headers


def test_every_answer_carries_the_security_headers(db, client):
    for url in (reverse("account_login"), "/no/such/page/", reverse("healthz")):
        headers = client.get(url).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'self'" and policy["frame-ancestors"] == policy["object-src"] == "'none'"
        assert policy["form-action"] == "'self'" and policy["img-src"] == "'self' data:"
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "geolocation=()" in headers["Permissions-Policy"]


def test_pages_of_a_person_are_not_kept_by_caches(world, client_of):
    response = client_of(world.user("edc", "viewer")).get(reverse("account_home"))
    assert "private" in response["Cache-Control"]


def test_pages_have_no_inline_script_or_style(world, client_of):
    client = client_of(world.user("aggregator", "administrator"))
    names = ("account_home", "account_email", "account_change_password", "token_issue")
    for url in [*map(reverse, names), reverse("member_list", args=["aggregator"]), reverse("member_invite", args=["aggregator"])]:
        page = client.get(url).content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page), url


# request id and logs


def test_the_request_id_goes_in_and_out(db, client):
    assert client.get(reverse("healthz"), headers={"x-request-id": "abc-123"})["X-Request-ID"] == "abc-123"
    made = client.get(reverse("healthz"), headers={"x-request-id": "two words\n"})["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{32}", made)


@pytest.fixture
def _logs(caplog, monkeypatch) -> None:
    """Logs as the platform writes them, whatever a library that another test of this process used has made of the loggers."""
    monkeypatch.setattr(logging.getLogger("moc.request"), "disabled", False)
    monkeypatch.setattr(logging.getLogger("moc.request"), "propagate", True)
    for logger in ("", "moc", "moc.request"):
        caplog.set_level(logging.INFO, logger=logger)
    caplog.handler.setFormatter(JsonFormatter())


@pytest.mark.usefixtures("_logs")
def test_one_json_line_a_request_with_id_and_actor(world, client_of, caplog):
    user = world.user("edc", "viewer")
    client_of(user).get(reverse("account_home"), headers={"x-request-id": "abc"})
    lines = [json.loads(line) for line in caplog.handler.stream.getvalue().splitlines() if line.startswith("{")]
    line = next(line for line in lines if line["logger"] == "moc.request")
    assert line["request_id"] == "abc" and line["actor"] == user.pk and line["status"] == 200
    assert line["view"] == "account_home" and line["method"] == "GET" and line["ms"] > 0


@pytest.mark.usefixtures("_logs")
def test_signing_in_is_logged_with_who_it_was(world, client, caplog):
    user = world.user("edc", "viewer")
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert json.loads(caplog.handler.stream.getvalue().splitlines()[-1])["actor"] == user.pk


def test_logs_of_the_unknown_and_of_errors():
    try:
        raise ValueError("nö")
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, __file__, 1, "it %s", ("broke",), sys.exc_info(), extra={"batch": 7})
    line = json.loads(JsonFormatter().format(record))
    assert line["message"] == "it broke" and line["batch"] == 7 and "ValueError: nö" in line["error"] and "actor" not in line


# limits


def test_a_body_that_is_too_large_is_refused(db, client, settings):
    settings.MOC_MAX_UPLOAD_BYTES = 10
    body = b"x" * (FORM_OVERHEAD_BYTES + 11)
    response = client.post(API, body, content_type="text/csv")
    assert response.status_code == 413 and json.loads(response.content)["code"] == "TOO_LARGE"
    page = client.post(reverse("account_login"), body, content_type="text/csv")
    assert page.status_code == 413 and "The file is too large" in page.content.decode()


def asgi(parts: list[bytes], *headers: tuple[bytes, bytes], limit: int = 10) -> tuple[list[dict], list[bytes]]:
    """What a client gets, and what the application reads, behind a BodyLimit."""
    sent, read, waiting = [], [], list(parts)

    async def receive():
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message):
        sent.append(message)

    async def app(scope, receive, send):
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            read.append(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})

    asyncio.run(BodyLimit(app, limit)({"type": "http", "headers": headers}, receive, send))
    return sent, read


def test_the_server_stops_reading_a_body_that_is_too_large():
    half = b"x" * (FORM_OVERHEAD_BYTES // 2 + 6)
    assert asgi([half])[0][0]["status"] == 200
    sent, read = asgi([half, half, half])
    assert sent[0]["status"] == 413 and read == [half]
    sent, read = asgi([half], (b"content-length", str(FORM_OVERHEAD_BYTES + 11).encode()))
    assert sent[0]["status"] == 413 and read == []


def test_the_api_is_limited_by_client(db, client, settings):
    settings.MOC_API_PER_MINUTE = 3
    mine, other = {"authorization": "Bearer mine"}, {"authorization": "Bearer other"}
    statuses = [client.get(API, headers=mine).status_code for _ in range(4)]
    assert statuses[3] == 429 and 429 not in statuses[:3]
    refused = client.get(API, headers=mine)
    assert 0 < int(refused["Retry-After"]) <= 60 and refused["Content-Type"] == "application/problem+json"
    assert client.get(API, headers=other).status_code != 429


def test_files_are_limited_by_client(db, client, settings):
    settings.MOC_UPLOADS_PER_HOUR = 2
    url = reverse("account_login")
    assert [client.post(url, {}).status_code for _ in range(3)][-1] == 429
    assert client.post(url, "", content_type="application/x-www-form-urlencoded").status_code == 200
    assert "Too many requests" in client.post(url, {}).content.decode()


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (0, "6.6.6.6", "127.0.0.1"),
        (1, "6.6.6.6, 10.1.1.1", "10.1.1.1"),
        (2, "6.6.6.6, 10.1.1.1, 10.2.2.2", "10.1.1.1"),
        (2, "10.2.2.2", "127.0.0.1"),
    ],
)
def test_only_our_own_proxies_are_believed(rf, settings, trusted, forwarded, address):
    settings.MOC_TRUSTED_PROXIES = trusted
    assert client_address(rf.get("/", headers={"x-forwarded-for": forwarded})) == address


# health


def test_alive_needs_nothing(client):
    assert client.get(reverse("healthz")).status_code == 200


def test_ready_when_everything_is(db, client):
    response = client.get(reverse("readyz"))
    assert response.status_code == 200
    assert response.json() == {"ready": True, "checks": dict.fromkeys(("database", "migrations", "cache", "broker", "jobs"), True)}


def test_not_ready_while_jobs_are_untended(db, client):
    long_ago = timezone.now() - timedelta(minutes=4)
    job = Job.objects.create(task="x", title="x", woken_at=long_ago)
    response = client.get(reverse("readyz"))
    assert response.status_code == 503 and response.json()["checks"]["jobs"] is False
    Job.objects.filter(pk=job.pk).update(status=Job.Status.DONE)
    assert client.get(reverse("readyz")).status_code == 200


def test_not_ready_while_migrations_wait(db, client, monkeypatch):
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda self, targets: ["waiting"])
    assert client.get(reverse("readyz")).json()["checks"]["migrations"] is False


def test_not_ready_without_a_broker_and_nothing_is_told_to_strangers(db, client, monkeypatch):
    def broken():
        raise ConnectionError("amqp://user:password@host")

    monkeypatch.setitem(health.CHECKS, "broker", broken)
    response = client.get(reverse("readyz"))
    assert response.status_code == 503 and "password" not in response.content.decode()


# metrics


def test_metrics_count_requests_and_jobs(db, client):
    Job.objects.create(task="x", title="x")
    client.get(reverse("account_login"))
    text = client.get(reverse("metrics")).content.decode()
    assert re.search(r'moc_requests_total\{method="GET",status="200",view="account_login"\} [1-9]', text)
    assert 'moc_request_seconds_bucket{le="0.5",view="account_login"}' in text
    assert 'moc_jobs{status="queued"} 1.0' in text and 'moc_jobs{status="failed"} 0.0' in text


def test_metrics_are_for_this_machine_or_the_bearer_of_the_token(db, client, settings):
    url = reverse("metrics")
    assert client.get(url, REMOTE_ADDR="10.0.0.1").status_code == 404
    assert client.get(url, headers={"x-forwarded-for": "10.0.0.1"}).status_code == 404
    settings.MOC_METRICS_TOKEN = "secret"
    assert client.get(url).status_code == 404
    assert client.get(url, headers={"authorization": "Bearer wrong"}).status_code == 404
    assert client.get(url, headers={"authorization": "Bearer secret"}, REMOTE_ADDR="10.0.0.1").status_code == 200


# production settings

PRODUCTION = {
    "MOC_MASTER_KEYS": base64.b64encode(bytes(range(32))).decode(),
    "MOC_SEAL_KEY": base64.b64encode(bytes(range(32))).decode(),
    "SECRET_KEY": "k3y-" * 16 + "qwertzuiop",
    "ALLOWED_HOSTS": "registry.example.org",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example.org:587",
    "MOC_PUBLIC_URL": "https://registry.example.org",
    "CELERY_BROKER_URL": "redis://localhost:6379/0",
    "DATABASE_URL": "postgres://moc_app@db/moc",
    "DATABASE_OWNER_URL": "postgres://moc_owner@db/moc",
}


def production(*command: str, **environment: str) -> subprocess.CompletedProcess:
    """A command of Django's with production settings and nothing of this environment but the search path."""
    variables = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "moc.settings.production", **PRODUCTION, **environment}
    return subprocess.run([sys.executable, "manage.py", *command], env=variables, capture_output=True, text=True, check=False)


def test_production_settings_pass_djangos_deployment_check():
    result = production("check", "--deploy", "--fail-level", "WARNING")
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "development only: not a secret"),
        ("MOC_MASTER_KEYS", DEVELOPMENT_MASTER_KEY),
        ("MOC_SEAL_KEY", DEVELOPMENT_SEAL_KEY),
        ("ALLOWED_HOSTS", "*"),
        ("EMAIL_URL", "consolemail://"),
        ("MOC_PUBLIC_URL", "http://registry.example.org"),
        ("CELERY_BROKER_URL", "filesystem://"),
        ("DATABASE_URL", "postgres://moc_owner@db/moc"),
        ("DATABASE_SUPERUSER_URL", "postgres://postgres@db/moc"),
    ],
)
def test_production_refuses_what_is_meant_for_development(name, value):
    result = production("check", **{name: value})
    assert result.returncode != 0 and "ImproperlyConfigured: Not for production" in result.stderr and name in result.stderr
