from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    """Users of the clusters: snapshots, comparison, duplicates, locator, masks."""

    name = "directory"
