"""What monitoring reads of the console itself: requests, jobs, processes, readiness."""

import os
import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db.models import Count, Min
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from accounts import cluster_limits
from cupadmin import readiness
from cupadmin.shared_counters import SHARED
from diagnostics import metrics as diagnostics_metrics
from jobs.models import Job, JobCount, Process
from proof import metrics as proof_metrics

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
OTHER = "other"

disable_created_metrics()  # type: ignore[no-untyped-call]
http = CollectorRegistry()
REQUESTS = Counter(
    "cupadmin_http_requests",
    "Requests by the name of their route.",
    ("method", "route", "code"),
    registry=http,
)
DURATION = Histogram(
    "cupadmin_http_request_duration_seconds",
    "How long requests took to answer.",
    ("kind",),
    buckets=(0.025, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=http,
)


class MetricsMiddleware:
    """Counts requests, and how long their answers took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        route = route_of(request)
        method = request.method if request.method in METHODS else OTHER
        REQUESTS.labels(method, route, response.status_code).inc()
        DURATION.labels(kind_of(route)).observe(time.perf_counter() - started)
        return response


def route_of(request: HttpRequest) -> str:
    """Name the route; what leads nowhere has one name, whatever the path is."""
    if request.resolver_match is not None:
        return request.resolver_match.view_name or OTHER
    static = request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/")
    return "static" if static else OTHER


def kind_of(route: str) -> str:
    if route.startswith("api:"):
        return "api"
    return route if route in (OTHER, "static") else "page"


class ConsoleCollector:
    """Jobs, processes and readiness; the same for everybody who may see all."""

    def collect(self) -> Iterator[Metric]:
        yield job_metric()
        yield from waiting_metrics()
        yield ended_jobs()
        yield process_metric()
        yield ready_metric()


def job_metric() -> Metric:
    found = GaugeMetricFamily(
        "cupadmin_jobs", "Unfinished jobs.", labels=("queue", "state")
    )
    rows = Job.objects.active().order_by().values_list("queue", "state")
    for queue, state, count in rows.annotate(Count("pk")):
        found.add_metric((queue, state), count)
    return found


def waiting_metrics() -> Iterator[Metric]:
    due = Job.objects.filter(state=Job.State.QUEUED, not_before__lte=Now())
    rows = due.order_by().values_list("queue").annotate(Min("not_before"))
    found = GaugeMetricFamily(
        "cupadmin_job_waiting_since_timestamp_seconds",
        "Since when the oldest job of a queue that is due waits.",
        labels=("queue",),
    )
    for queue, since in rows:
        found.add_metric((queue,), since.timestamp())
    yield found


def ended_jobs() -> Metric:
    found = CounterMetricFamily(
        "cupadmin_jobs_ended", "Jobs that ended.", labels=("kind", "state")
    )
    for kind, state, count in JobCount.objects.values_list("kind", "state", "count"):
        found.add_metric((kind, state), count)
    return found


def process_metric() -> Metric:
    found = GaugeMetricFamily(
        "cupadmin_processes", "Processes of the console that run.", labels=("kind",)
    )
    alive = Process.objects.alive().order_by().values_list("kind")
    counts = dict(alive.annotate(Count("pk")))
    for kind in Process.Kind.values:
        found.add_metric((kind,), counts.get(kind, 0))
    return found


def ready_metric() -> Metric:
    found = GaugeMetricFamily(
        "cupadmin_ready",
        "1 for a part of the console that is as it should be, otherwise 0.",
        labels=("part",),
    )
    for part, check in readiness.cached_checks.get().items():
        found.add_metric((part,), check.ok)
    return found


def metrics_text() -> bytes:
    """Return all metrics that whoever reads them may see."""
    registry = CollectorRegistry()
    diagnostics_metrics.register_metrics(registry)
    proof_metrics.register_metrics(registry)
    # Counts of the console are no matter of those who may see some clusters only.
    if cluster_limits.current_limit() is not None:
        return generate_latest(registry)
    registry.register(ConsoleCollector())
    return generate_latest(registry) + generate_latest(counter_registry())


def counter_registry() -> CollectorRegistry:
    """The counters of all processes of this web server, or of this one."""
    if SHARED not in os.environ:
        return http
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared
