"""What monitoring reads, in the text format of Prometheus."""

from collections.abc import Iterable, Iterator

from django.db.models import Count
from django.utils import timezone

from diagnostics.models import TroubleshooterRun
from jobs.models import Job
from peers.models import Cluster, Node, Outcome, Peer

Labels = dict[str, str]
Samples = Iterable[tuple[Labels, float]]


def metrics() -> str:
    """Return all metrics; what is not known has no sample, never a zero."""
    return "\n".join([*lines(), ""])


def lines() -> Iterator[str]:
    yield from family(
        "cupadmin_peer_outcome", "1 for the outcome that a peer has.", peer_outcomes()
    )
    peers = list(Peer.objects.defer("entries").select_related("cluster"))
    yield from family(
        "cupadmin_peer_associated_users",
        "Users of the remote cluster on the home cluster.",
        ((of(p), p.associated_users) for p in peers if p.associated_users is not None),
    )
    yield from family(
        "cupadmin_peer_remote_users",
        "Users of the remote cluster on the remote cluster itself.",
        ((of(p), p.remote_users) for p in peers if p.remote_users is not None),
    )
    yield from family(
        "cupadmin_peer_check_age_seconds",
        "How old the status of a peer is.",
        ((of(p), age(p.checked_at)) for p in peers if p.checked_at),
    )
    yield from family(
        "cupadmin_cluster_health", "1 for the health that a cluster has.", healths()
    )
    yield from family(
        "cupadmin_node_certificate_days",
        "Days until the certificate of a node expires.",
        certificates(),
    )
    yield from family(
        "cupadmin_troubleshooter_tests",
        "Tests of the newest run by code and outcome.",
        tests(),
    )
    yield from family(
        "cupadmin_sweep_duration_seconds", "How long the last sweep took.", sweeps()
    )


def family(name: str, text: str, samples: Samples) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        pairs = ",".join(f'{key}="{escaped(text)}"' for key, text in labels.items())
        yield f"{name}{{{pairs}}} {value:g}" if pairs else f"{name} {value:g}"


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def of(peer: Peer) -> Labels:
    return {"cluster": peer.cluster.name, "address": peer.address}


def age(at: object) -> float:
    return (timezone.now() - at).total_seconds()  # type: ignore[operator, no-any-return]


def peer_outcomes() -> Samples:
    rows = Peer.objects.values_list("cluster__name", "address", "outcome")
    for cluster, address, outcome in rows:
        for one in Outcome.values:
            labels = {"cluster": cluster, "address": address, "outcome": one}
            yield labels, outcome == one


def healths() -> Samples:
    for name, health in Cluster.objects.values_list("name", "health"):
        for one in Cluster.Health.values:
            yield {"cluster": name, "health": one}, health == one


def certificates() -> Samples:
    nodes = Node.objects.exclude(certificate_not_after=None).select_related("cluster")
    for node in nodes:
        days = -age(node.certificate_not_after) / 86400
        yield {"cluster": node.cluster.name, "node": node.name}, days


def tests() -> Samples:
    newest = TroubleshooterRun.objects.of_everything()
    if newest is None:
        return
    counted = newest.results.order_by().values_list(
        "code", "outcome", "cluster_name", "node_name", "peer_address"
    )
    for code, outcome, cluster, node, peer, count in counted.annotate(Count("id")):
        labels = {
            "test": code,
            "outcome": outcome,
            "cluster": cluster,
            "node": node,
            "peer": peer,
        }
        yield labels, count


def sweeps() -> Samples:
    finished = Job.objects.filter(kind="sweep", state=Job.State.SUCCEEDED)
    last = finished.order_by("-finished_at").first()
    if last and last.started_at and last.finished_at:
        yield {}, (last.finished_at - last.started_at).total_seconds()
