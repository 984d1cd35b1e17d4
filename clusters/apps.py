from contextlib import suppress

from django.apps import AppConfig
from django.conf import settings


class ClustersConfig(AppConfig):
    """Clusters, their nodes, and how the console signs in to them."""

    name = "clusters"

    def ready(self) -> None:
        from accounts import cluster_limits
        from clusters.checks import PAGE_WORDS
        from clusters.models import Cluster
        from pages import corrections

        # The check at start says what is wrong with the file.
        with suppress(ValueError):
            corrections.take_corrections(settings.DATA_DIR / PAGE_WORDS)
        cluster_limits.names_come_from(
            lambda: dict(Cluster.objects.order_by("name").values_list("pk", "name"))
        )
