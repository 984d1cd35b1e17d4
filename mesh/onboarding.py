"""What is left to do until a network that has run for years is in the console."""

from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse

from clusters.models import Cluster, Node
from mesh.adoption import Observer
from mesh.models import UsersSeen
from mesh.neighbours import unmanaged_neighbours
from peers.models import Peer, PeerOutcome


@dataclass(frozen=True)
class Task:
    """One line of the list: done, or what is left and the page where it is done."""

    label: str
    done: bool
    detail: str
    url: str


def onboarding_tasks() -> list[Task]:
    """The six tasks in their order; what cannot be judged yet is not done."""
    clusters = list(Cluster.objects.prefetch_related("nodes"))
    return [
        clusters_added(clusters),
        certificates_confirmed(),
        clusters_discovered(clusters),
        neighbours_added(clusters),
        peerings_adopted(clusters),
        peerings_verified(),
    ]


def is_over(tasks: list[Task]) -> bool:
    return all(task.done for task in tasks)


def count_of(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def clusters_added(clusters: list[Cluster]) -> Task:
    detail = f"{count_of(len(clusters), 'cluster')} added" if clusters else "None yet"
    return Task(
        "Add the first cluster", bool(clusters), detail, reverse("clusters:add_cluster")
    )


def certificates_confirmed() -> Task:
    pinned = Node.objects.filter(cluster__tls_mode=Cluster.TlsMode.PINNED)
    waiting = pinned.exclude(certificate_state=Node.CertificateState.TRUSTED)
    number = waiting.count()
    url = reverse("clusters:certificates") if number else ""
    done = not number and Node.objects.exists()
    detail = f"{count_of(number, 'certificate')} to confirm" if number else ""
    return Task(
        "Confirm certificates", done, detail, url or reverse("clusters:clusters")
    )


def clusters_discovered(clusters: list[Cluster]) -> Task:
    left = [cluster for cluster in clusters if not cluster.version]
    names = ", ".join(cluster.name for cluster in left[:3])
    detail = f"{count_of(len(left), 'cluster')} to discover: {names}" if left else ""
    url = left[0].get_absolute_url() if left else reverse("clusters:clusters")
    return Task("Discover nodes and versions", bool(clusters) and not left, detail, url)


def number_unread(clusters: list[Cluster]) -> int:
    """How many clusters have never been read, so that their neighbours are unknown."""
    return len(clusters) - UsersSeen.objects.filter(cluster__in=clusters).count()


def neighbours_added(clusters: list[Cluster]) -> Task:
    unread, found = number_unread(clusters), unmanaged_neighbours(clusters)
    detail = f"{count_of(len(found), 'neighbour')} not managed" if found else ""
    if unread:
        detail = f"{count_of(unread, 'cluster')} not read yet"
    done = bool(clusters) and not unread and not found
    return Task("Add the neighbours", done, detail, reverse("mesh:running"))


def peerings_adopted(clusters: list[Cluster]) -> Task:
    """Peerings that clusters show and the console does not have are left to adopt."""
    sightings = list(Observer(clusters, {}).sightings()) if clusters[1:] else []
    left = sum(not one.reason for one in sightings)
    held = any(one.held for one in sightings)
    detail = f"{count_of(left, 'peer')} to adopt" if left else ""
    return Task(
        "Adopt the peerings", held and not left, detail, reverse("mesh:running")
    )


def peerings_verified() -> Task:
    left = Peer.objects.filter(~Q(outcome=PeerOutcome.PASSED)).count()
    detail = f"{count_of(left, 'peer')} without all check marks" if left else ""
    done = not left and Peer.objects.exists()
    return Task("Verify every peer", done, detail, reverse("peers:find"))
