from importlib import import_module, util
from pkgutil import iter_modules

from django.apps import AppConfig, apps
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    """Background work that can be watched, cancelled and resumed."""

    name = "jobs"

    def ready(self) -> None:
        # Every process knows every kind of job, so that pages can name them.
        for app in apps.get_app_configs():
            if app.name != self.name:
                import_kinds(f"{app.name}.jobs")
        autodiscover_modules("tasks")


def import_kinds(package: str) -> None:
    """Import each file of an app's package of jobs, where it has one."""
    spec = util.find_spec(package)
    for module in iter_modules(spec.submodule_search_locations) if spec else ():
        import_module(f"{package}.{module.name}")
