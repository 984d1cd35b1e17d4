"""The figures on top of the overview: four, each with a word and a way to its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from django.db.models import Count, Min, QuerySet
from django.urls import reverse
from django.utils import timezone

from clusters.models import Cluster, Node
from exchange.models import KnownCertificate, NodeCertificates
from mesh.matrix import Mesh
from peers.models import Peer, PeerOutcome
from services.models import Service, sync_agents

# A certificate that ends sooner is a warning; the vendor's own notice is 30 days.
SOON_DAYS = 30


@dataclass(frozen=True)
class Card:
    """One figure; `at` is when the oldest part of it was seen."""

    name: str
    figure: str
    outcome: str
    note: str
    url: str
    at: datetime | None = None


def figure_cards(mesh: Mesh) -> list[Card]:
    return [peers_card(mesh), clusters_card(mesh), agents_card(), certificates_card()]


def all_good(cards: list[Card]) -> bool:
    """Whether every figure is green."""
    return bool(cards) and all(card.outcome == "passed" for card in cards)


def peers_card(mesh: Mesh) -> Card:
    """All peers in sight, also those that lead out of the mesh."""
    rows = (
        Peer.objects.order_by()
        .values_list("outcome")
        .annotate(
            number=Count("pk"), dated=Count("checked_at"), first=Min("checked_at")
        )
    )
    counts = {outcome: number for outcome, number, _, _ in rows}
    total = sum(counts.values())
    outcomes = set(counts)
    if mesh.missing:
        outcomes.add(PeerOutcome.WARNING)
    all_dated = all(number == dated for _, number, dated, _ in rows)
    return Card(
        "Healthy peers",
        f"{counts.get(PeerOutcome.PASSED, 0):,} of {total:,}",
        worst_outcome(outcomes),
        what_lacks(mesh, counts),
        reverse("peers:find"),
        oldest_time([first for *_, first in rows]) if all_dated else None,
    )


def what_lacks(mesh: Mesh, counts: dict[str, int]) -> str:
    words = {
        PeerOutcome.FAILED: "failed",
        PeerOutcome.WARNING: "with warnings",
        PeerOutcome.UNKNOWN: "unknown",
    }
    parts = [f"{len(mesh.missing):,} missing"] if mesh.missing else []
    parts += [f"{counts[key]:,} {word}" for key, word in words.items() if key in counts]
    if parts:
        return ", ".join(parts)
    return "the mesh is complete" if mesh.cells else "a mesh needs two clusters"


def clusters_card(mesh: Mesh) -> Card:
    healths = [cluster.health for cluster in mesh.clusters]
    outcomes = {
        "passed" if health == Cluster.Health.OK else health for health in healths
    }
    return Card(
        "Healthy clusters",
        f"{healths.count(Cluster.Health.OK)} of {len(healths)}",
        worst_outcome(outcomes),
        "every cluster answers" if outcomes == {"passed"} else "see the clusters",
        reverse("clusters:clusters"),
        oldest_time([cluster.checked_at for cluster in mesh.clusters]),
    )


def agents_card() -> Card:
    agents = sync_agents()
    on = sum(agent.on for agent in agents)
    stopped = sum(agent.state == Service.Status.STOPPED for agent in agents)
    outcome, note = "unknown", f"status unknown on {len(agents) - on}"
    if stopped:
        outcome, note = "failed", f"not running on {stopped}"
    elif agents and on == len(agents):
        outcome, note = "passed", "running on every node"
    return Card(
        "Sync agents running",
        f"{on:,} of {len(agents):,} nodes",
        outcome,
        note,
        reverse("services:agents"),
        oldest_time([agent.observed_at for agent in agents]),
    )


def certificates_card() -> Card:
    nodes = Node.objects.order_by("certificate_not_after")
    waiting = nodes.exclude(certificate_state=Node.CertificateState.TRUSTED).filter(
        cluster__tls_mode=Cluster.TlsMode.PINNED
    )
    # Those that changed come first.
    if changed := waiting.order_by("certificate_state").first():
        note = f"{changed}: {changed.get_certificate_state_display().lower()}"
        url = reverse("clusters:certificate", args=[changed.pk])
        states = set(waiting.values_list("certificate_state", flat=True))
        bad = Node.CertificateState.CHANGED in states
        outcome = "failed" if bad else "warning"
        number = waiting.count()
        return Card("Certificates", f"{number} to confirm", outcome, note, url)
    first = first_to_expire(nodes)
    if first is None:
        return Card(
            "Certificates", "none seen", "unknown", "", reverse("clusters:clusters")
        )
    not_after, note, url = first
    days = (not_after - timezone.now()).days
    outcome = "failed" if days < 0 else "warning" if days < SOON_DAYS else "passed"
    figure = f"{days:,} days" if days >= 0 else "expired"
    return Card("Next certificate expires in", figure, outcome, note, url)


def first_to_expire(nodes: QuerySet[Node]) -> tuple[datetime, str, str] | None:
    """Return when, whose, and its page; what peers exchange counts as well."""
    found = []
    node = nodes.exclude(certificate_not_after=None).first()
    if node and node.certificate_not_after:
        url = reverse("clusters:show_node", args=[node.pk])
        found.append((node.certificate_not_after, str(node), url))
    names = {
        pk: f"{service} of {name}"
        for name, services in NodeCertificates.objects.values_list(
            "node__name", "identities"
        )
        for service, pk in services.items()
    }
    exchanged = KnownCertificate.objects.filter(pk__in=names).order_by("not_after")
    if one := exchanged.first():
        found.append((one.not_after, names[one.pk], reverse("exchange:show")))
    return min(found, key=itemgetter(0), default=None)


def worst_outcome(outcomes: set[str]) -> str:
    """Unknown is never good: it comes before passed."""
    order = ("failed", "warning", "unknown", "information", "passed")
    return next((outcome for outcome in order if outcome in outcomes), "unknown")


def oldest_time(times: Sequence[datetime | None]) -> datetime | None:
    """The oldest of these times; None if one of them is not known."""
    return min((at for at in times if at), default=None) if all(times) else None
