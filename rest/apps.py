from django.apps import AppConfig


class RestConfig(AppConfig):
    """What every REST resource has in common."""

    name = "rest"
