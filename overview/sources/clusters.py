"""Clusters that are not healthy for a reason that no other source has found."""

from clusters.models import Cluster
from overview.found import Found, ProblemBook

Health = Cluster.Health
WORDS = {
    Health.FAILED: "could not be read at the last check",
    Health.WARNING: "had warnings at the last check",
    Health.UNKNOWN: "could not be judged at the last check",
}


def report_clusters(book: ProblemBook) -> None:
    for cluster in book.clusters.values():
        if cluster.health != Health.OK and not book.mentions(cluster.pk):
            severity = Health(cluster.health)
            book.report(
                Found(
                    f"cluster_health:{cluster.pk}",
                    "cluster_health",
                    severity.value,
                    f"{cluster} {WORDS[severity]}. Check it again.",
                    cluster.get_absolute_url(),
                    cluster.pk,
                )
            )
