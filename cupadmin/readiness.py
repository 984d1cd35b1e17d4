"""Deep readiness: each part that the console needs, with a sentence for a person.

It is the same for everybody, so it counts the jobs of all clusters and names none.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from celery import current_app
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.models import Min
from django.db.models.functions import Now
from django.utils import timezone

from clusters.models import Cluster
from cupadmin.versions import refuse_other_database
from jobs.kind import all_queues
from jobs.models import Job, Process
from jobs.sites import queues_of
from jobs.waiting import in_words, served_queues, stalled_queues, why_nothing_is_claimed

logger = logging.getLogger(__name__)

# Anybody may ask, so the parts are looked at once in so many seconds.
CACHE_SECONDS = 5.0
# Seconds to connect to the broker.
BROKER_PATIENCE = 2


@dataclass(frozen=True)
class Check:
    """How one part is."""

    ok: bool
    sentence: str


def check_database() -> Check:
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Check(True, "The database answers.")


def check_migrations() -> Check:
    try:
        refuse_other_database()
    except ImproperlyConfigured as error:
        return Check(False, str(error))
    return Check(True, "The database is of this release.")


def check_broker() -> Check:
    """Connect as whoever rings the workers does."""
    try:
        with current_app.connection_for_write(connect_timeout=BROKER_PATIENCE) as found:
            found.ensure_connection(max_retries=1, timeout=BROKER_PATIENCE)
            found.default_channel  # noqa: B018 - opens it
    except Exception:
        # Whatever the client of the broker raises; it may name the URL.
        logger.warning("the broker does not answer", exc_info=True)
        return Check(False, "The broker does not answer, so no job is started.")
    return Check(True, "The broker answers.")


def check_beat() -> Check:
    if Process.objects.alive().filter(kind=Process.Kind.BEAT).exists():
        return Check(True, "Beat is running.")
    return Check(False, "Beat is not running: nothing is done on schedule.")


def check_workers() -> Check:
    """Whether each queue that is in use has a worker that runs."""
    sites = Cluster._base_manager.order_by().values_list("site", flat=True).distinct()
    unserved = sorted((all_queues() | queues_of(sites)) - served_queues())
    if unserved:
        many = "s" if len(unserved) > 1 else ""
        names = ", ".join(unserved)
        return Check(False, f"No running worker serves the queue{many} {names}.")
    number = Process.objects.alive().filter(kind=Process.Kind.WORKER).count()
    return Check(True, f"Workers that are running: {number}.")


def oldest_job() -> Check:
    """Whether jobs that are due are taken."""
    rows = Job._base_manager.filter(state=Job.State.QUEUED)
    waiting = rows.filter(not_before__lte=Now())
    since = waiting.aggregate(first=Min("not_before"))["first"]
    if since is None:
        return Check(True, "No job is waiting.")
    minutes = int((timezone.now() - since).total_seconds() // 60)
    age = in_words(minutes) if minutes > 0 else "less than a minute"
    return Check(not stalled_queues(), f"The oldest waiting job has waited for {age}.")


CHECKS: dict[str, Callable[[], Check]] = {
    "database": check_database,
    "migrations": check_migrations,
    "broker": check_broker,
    "beat": check_beat,
    "workers": check_workers,
    "oldest_job": oldest_job,
}


def check_all() -> dict[str, Check]:
    return {name: run_check(check) for name, check in CHECKS.items()}


def run_check(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except DatabaseError:
        return Check(False, "Not known: the database does not answer.")


class CachedChecks:
    """The last result, which is as good as a new one for a few seconds."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at = 0.0
        self.checks: dict[str, Check] = {}

    def get(self) -> dict[str, Check]:
        with self.lock:
            if not self.checks or time.monotonic() - self.at > CACHE_SECONDS:
                self.checks = check_all()
                self.at = time.monotonic()
            return self.checks

    def clear(self) -> None:
        self.checks = {}


cached_checks = CachedChecks()


def check_deeply() -> tuple[bool, dict[str, dict[str, object]]]:
    """Whether all is well, and {part: {ok, sentence}}."""
    checks = cached_checks.get()
    data = {name: asdict(check) for name, check in checks.items()}
    return all(check.ok for check in checks.values()), data


def why_not_ready() -> str:
    """What makes the console not ready: the database, or no job taken; else empty."""
    try:
        check_database()
        return why_nothing_is_claimed()
    except DatabaseError:
        return "the database does not answer"
