"""Metrics in Prometheus' text format at /metrics: requests by view, status and latency of this process (or of all, see
PROMETHEUS_MULTIPROC_DIR), jobs by status from the database."""

import hmac
from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from moc import sight

REQUESTS = Counter("moc_requests", "Requests answered", ["method", "view", "status"])
LATENCY = Histogram(
    "moc_request_seconds", "Time until the answer's head", ["view"], buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def observe(method: str, view: str, status: int, seconds: float) -> None:
    """Count one answer. `view` is a URL's name, never a path: the number of series stays small."""
    REQUESTS.labels(method if method in METHODS else "other", view, status).inc()
    LATENCY.labels(view).observe(seconds)


class Jobs:
    """Jobs by status, counted when asked."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge with a sample per status."""
        from moc.jobs.models import Job

        with sight.engine():
            counts = dict(Job.objects.order_by().values_list("status").annotate(Count("pk")))
        gauge = GaugeMetricFamily("moc_jobs", "Jobs by status", labels=["status"])
        for status in Job.Status.values:
            gauge.add_metric([status], counts.get(status, 0))
        yield gauge


def _may_read(request: HttpRequest) -> bool:
    """The bearer of the token; without a token this machine itself, but not what a proxy on it passes on."""
    if settings.MOC_METRICS_TOKEN:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {settings.MOC_METRICS_TOKEN}".encode())
    return request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"} and "X-Forwarded-For" not in request.headers


def metrics(request: HttpRequest) -> HttpResponse:
    """The page that Prometheus scrapes; not found for anybody else."""
    if not _may_read(request):
        raise Http404
    processes = REGISTRY
    if settings.MOC_METRICS_DIR:
        processes = CollectorRegistry()
        MultiProcessCollector(processes)
    jobs = CollectorRegistry(auto_describe=False)
    jobs.register(Jobs())
    return HttpResponse(generate_latest(processes) + generate_latest(jobs), content_type=CONTENT_TYPE_LATEST)
