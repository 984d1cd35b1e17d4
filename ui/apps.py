from django.apps import AppConfig


class UiConfig(AppConfig):
    """What all pages share: template tags and menus."""

    name = "ui"
