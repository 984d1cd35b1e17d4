from django.apps import AppConfig


class PeersConfig(AppConfig):
    """Intercluster peers: entries on clusters that lead to other clusters."""

    name = "peers"

    def ready(self) -> None:
        from peers import receivers  # noqa: F401
