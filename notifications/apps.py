from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Tells people, mail addresses and webhooks what changed."""

    name = "notifications"

    def ready(self) -> None:
        from notifications.receivers import connect_receivers

        connect_receivers()
