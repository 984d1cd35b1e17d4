"""What monitoring reads, in the text format of Prometheus."""

from collections.abc import Iterable, Iterator

from django.db.models import Count
from django.utils import timezone

from diagnostics.models import TroubleshooterRun
from jobs.models import Job
from peers.models import Cluster, Node, Outcome, Peer

Labels = dict[str, str]
# A mesh that is broken everywhere must not burst who reads this.
MOST_WRONG = 1000
Samples = Iterable[tuple[Labels, float]]
NODE = {"cluster": "cluster_name", "node": "node_name"}
PEER = {"cluster": "cluster_name", "address": "peer_address"}


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
    yield from clusters_and_runs()
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


def clusters_and_runs() -> Iterator[str]:
    yield from family(
        "cupadmin_cluster_check_age_seconds",
        "How old the health of a cluster is.",
        (
            ({"cluster": name}, age(at))
            for name, at in Cluster.objects.exclude(checked_at=None).values_list(
                "name", "checked_at"
            )
        ),
    )
    run = TroubleshooterRun.objects.of_everything()
    if run is None:
        return
    yield from family(
        "cupadmin_troubleshooter_run_age_seconds",
        "How long ago the newest run of the troubleshooter ended.",
        [({}, age(run.finished_at))],
    )
    for name, text, labels in (
        ("tests", "Rows of the newest run by test.", {"test": "code"}),
        ("cluster_tests", "The same by cluster.", {"cluster": "cluster_name"}),
        ("node_tests", "The same by node.", NODE),
        ("peer_tests", "The same by peer.", PEER),
    ):
        counted = counts(run, labels)
        yield from family(f"cupadmin_troubleshooter_{name}", text, counted)
    yield from family(
        "cupadmin_troubleshooter_wrong",
        f"1 for a row that failed or warns; the first {MOST_WRONG} of them.",
        wrong(run),
    )


def counts(run: TroubleshooterRun, labels: Labels) -> Samples:
    """Count the rows of a run by outcome and by what these labels name."""
    columns = list(labels.values())
    rows = run.results.order_by().exclude(**{columns[-1]: ""})
    for *names, outcome, count in rows.values_list(*columns, "outcome").annotate(
        Count("id")
    ):
        yield dict(zip(labels, names, strict=True)) | {"outcome": outcome}, count


def wrong(run: TroubleshooterRun) -> Samples:
    labels = {"test": "code", "outcome": "outcome", **NODE, "peer": "peer_address"}
    rows = run.results.filter(outcome__in=["failed", "warning"]).order_by("position")
    for names in rows.values_list(*labels.values())[:MOST_WRONG]:
        yield dict(zip(labels, names, strict=True)), 1


def sweeps() -> Samples:
    finished = Job.objects.filter(kind="sweep", state=Job.State.SUCCEEDED)
    last = finished.order_by("-finished_at").first()
    if last and last.started_at and last.finished_at:
        yield {}, (last.finished_at - last.started_at).total_seconds()
