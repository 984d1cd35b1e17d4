from django.apps import AppConfig


class ProofConfig(AppConfig):
    """Whether a user of one cluster sees a user of another."""

    name = "proof"

    def ready(self) -> None:
        from proof import receivers  # noqa: F401
