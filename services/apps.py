from django.apps import AppConfig


class ServicesConfig(AppConfig):
    """Control Center - Network Services: status and control of services on nodes."""

    name = "services"

    def ready(self) -> None:
        from services import receivers

        receivers.connect_receivers()
