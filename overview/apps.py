from django.apps import AppConfig


class OverviewConfig(AppConfig):
    """The overview: figures, mesh, and the list of problems."""

    name = "overview"

    def ready(self) -> None:
        from overview import receivers

        receivers.connect_receivers()
