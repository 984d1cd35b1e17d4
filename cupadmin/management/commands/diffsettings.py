"""`manage.py diffsettings`, without the secrets that Django's own would print."""

from collections.abc import Callable
from typing import Any

from django.core.management.commands import diffsettings

from accounts.masking import SettingsFilter


def not_upper(name: str) -> bool:
    return not name.isupper()


def cleansed_settings(
    module: Any, omittable: Callable[[str], bool] = not_upper
) -> dict[str, str]:
    clean = SettingsFilter().cleanse_setting
    names = (name for name in dir(module) if not omittable(name))
    return {name: repr(clean(name, getattr(module, name))) for name in names}


# The command that extends it looks the function up here.
diffsettings.module_to_dict = cleansed_settings


class Command(diffsettings.Command):
    """Django's own command, over cleansed settings."""
