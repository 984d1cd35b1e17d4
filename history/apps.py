from django.apps import AppConfig


class HistoryConfig(AppConfig):
    """What was: checks rolled up by hour and day, and a timeline of changes."""

    name = "history"

    def ready(self) -> None:
        from history import receivers

        receivers.connect_receivers()
