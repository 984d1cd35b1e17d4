from django.apps import AppConfig


class PeersConfig(AppConfig):
    """Clusters, their nodes and their intercluster peers."""

    name = "peers"
