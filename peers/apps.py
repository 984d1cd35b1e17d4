from django.apps import AppConfig


class PeersConfig(AppConfig):
    """Clusters, their nodes and their intercluster peers."""

    name = "peers"

    def ready(self) -> None:
        from accounts import scope
        from peers.models import Cluster

        scope.names_come_from(
            lambda: dict(Cluster.objects.order_by("name").values_list("pk", "name"))
        )
