from django.apps import AppConfig


class DiagnosticsConfig(AppConfig):
    """Checks of peers and clusters, and the System Troubleshooter."""

    name = "diagnostics"

    def ready(self) -> None:
        from diagnostics import receivers

        receivers.connect_receivers()
