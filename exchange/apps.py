from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Which certificates clusters present, and whose they trust."""

    name = "exchange"
