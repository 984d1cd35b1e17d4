from django.apps import AppConfig


class MeshConfig(AppConfig):
    """The mesh of all clusters: seen, planned and set up."""

    name = "mesh"

    def ready(self) -> None:
        from mesh import receivers  # noqa: F401
