from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    """Background work that can be watched, cancelled and resumed."""

    name = "jobs"

    def ready(self) -> None:
        # Every process knows every kind of job, so that pages can name them.
        autodiscover_modules("tasks")
