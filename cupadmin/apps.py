from django.apps import AppConfig


class CupadminConfig(AppConfig):
    """Commands and template tags of the project itself."""

    name = "cupadmin"
