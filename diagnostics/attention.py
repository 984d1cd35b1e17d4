"""At most seven sentences about what needs attention, each leading to its fix."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.scope import unlimited
from jobs.models import Job
from peers.models import Cluster, Node, Outcome, Peer
from services.models import Service, sync_agents

MOST = 7
EXPIRES_SOON = timedelta(days=30)
# Tells the ids of those jobs of a kind of which all that they left is good by now: the
# apps whose jobs they are enter theirs.
MENDED: dict[str, Callable[..., set[UUID]]] = {}
# So many of the latest jobs are asked about.
LATEST = 50
# Of many failing peers the cause is told once.
LOOKED_AT = 300


@dataclass(frozen=True)
class Sentence:
    """What is wrong, how badly, and where to mend it."""

    outcome: str
    text: str
    url: str


def needs_attention() -> list[Sentence]:
    """Return the worst first."""
    sentences = [
        *changed_certificates(),
        *failed_clusters(),
        *stopped_agents(),
        *failing_peers(),
        *expiring_certificates(),
        *failed_jobs(),
        *late_sweeps(),
    ]
    return sorted(sentences, key=lambda s: s.outcome != "failed")[:MOST]


def changed_certificates() -> Iterator[Sentence]:
    changed = Node.objects.filter(certificate_state=Node.CertificateState.CHANGED)
    for node in changed[:MOST]:
        yield Sentence(
            "failed",
            f"{node.name} presents another certificate than the confirmed one; "
            "nothing is sent to it.",
            reverse("peers:certificate", args=[node.pk]),
        )


def failed_clusters() -> Iterator[Sentence]:
    for cluster in Cluster.objects.filter(health=Cluster.Health.FAILED)[:MOST]:
        yield Sentence(
            "failed",
            f"The publisher of {cluster.name} could not be asked.",
            cluster.get_absolute_url(),
        )


def stopped_agents() -> Iterator[Sentence]:
    """Tell it also where no peer suffers yet."""
    off = [one for one in sync_agents() if one.state == Service.Status.STOPPED]
    if off:
        where = off[0].node.name if len(off) == 1 else f"{len(off)} nodes"
        text = f"The Intercluster Sync Agent is stopped on {where}."
        yield Sentence("failed", text, reverse("services:agents"))


def failing_peers() -> Iterator[Sentence]:
    """Tell each problem once, with the number of peers that have it."""
    peers = Peer.objects.filter(outcome__in=[Outcome.FAILED, Outcome.WARNING])
    problems: Counter[tuple[str, str]] = Counter()
    urls: dict[tuple[str, str], str] = {}
    for peer in peers.select_related("cluster").order_by("outcome")[:LOOKED_AT]:
        entry = worst_entry(peer)
        if entry is None:
            continue
        problem = entry["outcome"], entry["problem"]
        problems[problem] += 1
        urls.setdefault(problem, peer.get_absolute_url())
    for (outcome, text), count in problems.most_common(MOST):
        times = f" ({count} peers)" if count > 1 else ""
        yield Sentence(outcome, f"{text}{times}", urls[outcome, text])


def worst_entry(peer: Peer) -> dict[str, str] | None:
    for outcome in (Outcome.FAILED, Outcome.WARNING):
        for entry in peer.entries:
            if entry["outcome"] == outcome:
                found: dict[str, str] = entry
                return found
    return None


def expiring_certificates() -> Iterator[Sentence]:
    now = timezone.now()
    soon = Node.objects.filter(certificate_not_after__lt=now + EXPIRES_SOON)
    for node in soon.order_by("certificate_not_after")[:MOST]:
        days = (node.certificate_not_after - now).days  # type: ignore[operator]
        when = f"expires in {days} days" if days >= 0 else f"expired {-days} days ago"
        yield Sentence(
            "warning" if days >= 0 else "failed",
            f"The certificate of {node.name} {when}.",
            reverse("peers:certificate", args=[node.pk]),
        )


def failed_jobs() -> Iterator[Sentence]:
    waiting = Job.objects.filter(state=Job.State.NEEDS_ATTENTION)[:LATEST]
    mended = {
        pk
        for kind, those_of in MENDED.items()
        for pk in those_of(*(job for job in waiting if job.kind == kind))
    }
    for job in [job for job in waiting if job.pk not in mended][:MOST]:
        yield Sentence("warning", f"{job}: {job.told_error}", job.get_absolute_url())


def late_sweeps() -> Iterator[Sentence]:
    """Tell when no sweep finished for three intervals: nothing shown is current."""
    interval = timedelta(seconds=settings.SWEEP_INTERVAL)
    if not interval or not Peer.objects.exists():
        return
    sweeps = Job.objects.filter(kind="sweep", state=Job.State.SUCCEEDED)
    recent = sweeps.filter(finished_at__gt=timezone.now() - 3 * interval)
    with unlimited():
        swept = recent.exists()
    started = Peer.objects.filter(created_at__lt=timezone.now() - 3 * interval)
    if not swept and started.exists():
        yield Sentence(
            "warning",
            "No sweep has finished for a while: what is shown may be old.",
            f"{reverse('jobs:find')}?kind=sweep",
        )
