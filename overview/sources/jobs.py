"""Jobs that nobody takes, sweeps that are late, and jobs that need a person."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from diagnostics.jobs.sweep import Sweep
from jobs.models import Job
from jobs.sites import site_of
from jobs.waiting import served_queues, stalled_queues, unserved_site
from mesh.jobs.set_up import SetUpPeerings
from mesh.pairs import pairs_of
from mesh.results import resolved_peers
from overview.found import FAILED, WARNING, Found, ProblemBook
from peers.models import Peer

# So many of the latest jobs are looked at.
LATEST = 200
# Gives the ids of those jobs of a kind of which all that they left is good by now.
RESOLVED: dict[str, Callable[..., set[UUID]]] = {SetUpPeerings.name: resolved_peers}


def report_jobs(book: ProblemBook) -> None:
    for waiting in stalled_queues():
        url = f"{reverse('jobs:find')}?state=queued"
        key = f"no_worker:{waiting.queue}"
        book.report(
            Found(key, "no_worker", FAILED, waiting.sentence, url, since=waiting.since)
        )
    report_unserved(book)
    report_late_sweep(book)
    report_troubled(book)


def report_unserved(book: ProblemBook) -> None:
    """Report sites without a worker, unless jobs that wait for one say so already."""
    named = {site_of(waiting.queue) for waiting in stalled_queues()}
    served = served_queues()
    for site in sorted({one.site for one in book.clusters.values()} - named):
        if not (text := unserved_site(site, served)):
            continue
        clusters = [pk for pk, one in book.clusters.items() if one.site == site]
        url = book.clusters[clusters[0]].get_absolute_url()
        key = f"site_unserved:{site}"
        touches = frozenset(clusters)
        book.report(
            Found(key, "site_unserved", WARNING, text, url, clusters[0], touches)
        )


def report_late_sweep(book: ProblemBook) -> None:
    """Nothing shown is current when no sweep has finished for three intervals."""
    interval = timedelta(seconds=settings.SWEEP_INTERVAL)
    if not interval or any(f.code == "no_worker" for f in book.found.values()):
        return
    long_ago = timezone.now() - 3 * interval
    swept = Sweep.all().filter(state=Job.State.SUCCEEDED, finished_at__gt=long_ago)
    watched = Peer.objects.filter(created_at__lt=long_ago)
    if watched.exists() and not swept.exists():
        text = "No sweep has finished for a while: the statuses shown may be outdated."
        url = f"{reverse('jobs:find')}?kind={Sweep.name}"
        book.report(Found("sweep_late", "sweep_late", WARNING, text, url))


def report_troubled(book: ProblemBook) -> None:
    """Report jobs that need action, unless what they left is a problem already."""
    jobs = Job.objects.filter(state=Job.State.NEEDS_ATTENTION).prefetch_related("on")
    found = list(jobs[:LATEST])
    good = {
        pk
        for kind, of_kind in RESOLVED.items()
        for pk in of_kind(*(job for job in found if job.kind == kind))
    } | done_since(found)
    troubled = {one.id for cause in book.found.values() for one in cause.affects}
    for job in found:
        if job.pk not in good and not peers_of(job) & troubled:
            book.report(attention_problem(job))


def done_since(jobs: list[Job]) -> set[UUID]:
    """The ids of the jobs whose work a later job of their kind has done."""
    later = Job.objects.filter(
        state=Job.State.SUCCEEDED,
        kind__in={job.kind for job in jobs},
        target_id__in={job.target_id for job in jobs if job.target_id},
    )
    newest = later.values("kind", "target_id").annotate(at=Max("created_at"))
    done = {(one["kind"], one["target_id"]): one["at"] for one in newest.order_by()}
    return {
        job.pk
        for job in jobs
        if (at := done.get((job.kind, job.target_id))) and at > job.created_at
    }


def peers_of(job: Job) -> set[str]:
    """The ids of the peers that a job writes."""
    peers = {str(pk) for pair in pairs_of(job) for pk in pair.peers}
    return peers | ({job.target_id} if job.target_type == "peer" else set())


def attention_problem(job: Job) -> Found:
    clusters = frozenset(one.cluster for one in job.on.all())
    return Found(
        f"job_attention:{job.pk}:{job.finished_at:%Y%m%d%H%M%S}",
        "job_attention",
        WARNING,
        f"{job}: {job.error}" if job.error else f"{job} needs action.",
        job.get_absolute_url(),
        next(iter(clusters)) if len(clusters) == 1 else None,
        clusters,
        # What it says may be about any of them; without any, about the console.
        whole=True,
        since=job.finished_at,
    )
