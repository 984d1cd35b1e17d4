from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Roles, API tokens and the audit trail."""

    name = "accounts"

    def ready(self) -> None:
        from accounts import checks, identity_checks, receivers  # noqa: F401
