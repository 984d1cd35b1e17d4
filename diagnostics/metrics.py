"""What monitoring reads of clusters, peers and tests, in families of Prometheus.

What is not known has no sample, never a zero. A time is a timestamp: how long ago it
was, the reader calculates.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Count
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily

from clusters.models import Cluster, Node
from diagnostics.jobs.sweep import Sweep
from diagnostics.models import TroubleshooterRun
from jobs.models import Job
from peers.models import Peer

Names = tuple[str, ...]
# Home, remote or none, address, outcome, associated users.
Row = tuple[str, str | None, str, str, int | None]
Samples = Iterable[tuple[Names, float]]
# A mesh that is broken everywhere must not burst who reads this.
MOST_WRONG = 1000
PEER = ("cluster", "remote")
NODE = {"cluster": "cluster_name", "node": "node_name"}


class ClusterCollector:
    """The clusters that may be seen, their peers and nodes, and the newest run."""

    def collect(self) -> Iterator[Metric]:
        yield from peer_families()
        yield from cluster_families()
        yield from run_families()
        yield from sweep_families()


def register_metrics(registry: CollectorRegistry) -> None:
    registry.register(ClusterCollector())


def metric_family(
    name: str, text: str, labels: Iterable[str], samples: Samples
) -> Metric:
    found = GaugeMetricFamily(f"cupadmin_{name}", text, labels=list(labels))
    for values, value in samples:
        found.add_metric(values, value)
    return found


def peer_families() -> Iterator[Metric]:
    rows = list(
        Peer.objects.order_by("created_at", "pk").values_list(
            "cluster__name",
            "remote_cluster__name",
            "address",
            "outcome",
            "associated_users",
        )
    )
    named = list(zip(names_of(rows), rows, strict=True))
    yield metric_family(
        "peer_outcome",
        "1 for the outcome that a peer has.",
        (*PEER, "outcome"),
        (((*names, row[3]), 1) for names, row in named),
    )
    yield metric_family(
        "peer_associated_users",
        "Users of the remote cluster on the home cluster.",
        PEER,
        ((names, row[4]) for names, row in named if row[4] is not None),
    )


def names_of(
    rows: Iterable[Row],
) -> list[Names]:
    """Name each peer by its clusters: by its address where that names more than one."""
    found = [(home, remote or address) for home, remote, address, *_ in rows]
    times = Counter(found)
    return [
        names if times[names] == 1 else (names[0], f"{names[1]} ({row[2]})")
        for names, row in zip(found, rows, strict=True)
    ]


def cluster_families() -> Iterator[Metric]:
    rows = list(Cluster.objects.values_list("name", "health", "checked_at"))
    yield metric_family(
        "cluster_health",
        "1 for the health that a cluster has.",
        ("cluster", "health"),
        (((name, health), 1) for name, health, _ in rows),
    )
    yield metric_family(
        "cluster_checked_timestamp_seconds",
        "When the health of a cluster was found.",
        ("cluster",),
        (((name,), at.timestamp()) for name, _, at in rows if at),
    )
    yield metric_family(
        "node_certificate_not_after_timestamp_seconds",
        "When the certificate of a node expires.",
        NODE,
        certificate_samples(),
    )


def certificate_samples() -> Samples:
    nodes = Node.objects.exclude(certificate_not_after=None)
    rows = nodes.values_list("cluster__name", "name", "certificate_not_after")
    return (((cluster, name), at.timestamp()) for cluster, name, at in rows if at)


def run_families() -> Iterator[Metric]:
    run = TroubleshooterRun.objects.of_everything()
    if run is None or run.finished_at is None:
        return
    yield time_metric(
        "troubleshooter_run",
        "When the newest run of the troubleshooter over all clusters ended.",
        run.finished_at,
    )
    for name, text, labels in (
        ("tests", "Rows of that run by test.", {"test": "code"}),
        ("cluster_tests", "The same by cluster.", {"cluster": "cluster_name"}),
        ("node_tests", "The same by node.", NODE),
    ):
        counted = outcome_samples(run, labels)
        yield metric_family(
            f"troubleshooter_{name}", text, (*labels, "outcome"), counted
        )
    labels = {"test": "code", "outcome": "outcome", **NODE, "peer": "peer_address"}
    yield metric_family(
        "troubleshooter_wrong",
        f"Rows of that run that failed or warn; the first {MOST_WRONG} of them.",
        labels,
        problem_samples(run, labels),
    )


def time_metric(name: str, text: str, at: datetime) -> Metric:
    return metric_family(f"{name}_timestamp_seconds", text, (), [((), at.timestamp())])


def outcome_samples(run: TroubleshooterRun, labels: dict[str, str]) -> Samples:
    """Count the rows of a run by outcome and by what these labels name."""
    columns = list(labels.values())
    rows = run.results.order_by().exclude(**{columns[-1]: ""})
    counted = rows.values_list(*columns, "outcome").annotate(Count("id"))
    return ((tuple(names), count) for *names, count in counted)


def problem_samples(run: TroubleshooterRun, labels: dict[str, str]) -> Samples:
    rows = run.results.filter(outcome__in=["failed", "warning"]).order_by("position")
    # A test may say more than one thing of the same peer.
    return Counter(rows.values_list(*labels.values())[:MOST_WRONG]).items()


def sweep_families() -> Iterator[Metric]:
    finished = Sweep.all().filter(state=Job.State.SUCCEEDED)
    last = finished.order_by("-finished_at").first()
    if last and last.started_at and last.finished_at:
        yield time_metric(
            "sweep_finished", "When the last sweep ended.", last.finished_at
        )
        seconds = (last.finished_at - last.started_at).total_seconds()
        text = "How long the last sweep took."
        yield metric_family("sweep_duration_seconds", text, (), [((), seconds)])
