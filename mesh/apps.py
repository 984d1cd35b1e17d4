from django.apps import AppConfig


class MeshConfig(AppConfig):
    """The mesh of all clusters: seen, planned and set up."""

    name = "mesh"

    def ready(self) -> None:
        from diagnostics import attention
        from mesh import receivers  # noqa: F401
        from mesh.results import mended

        attention.MENDED["set-up-peerings"] = mended
