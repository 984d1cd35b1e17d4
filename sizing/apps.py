from django.apps import AppConfig


class SizingConfig(AppConfig):
    """What published limits and the load between clusters allow."""

    name = "sizing"

    def ready(self) -> None:
        from sizing import receivers, troubleshooting  # noqa: F401
