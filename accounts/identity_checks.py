"""Checks of what the environment says about signing in."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from accounts.roles import Role


@register(Tags.security)
def required_roles_exist(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """A mistyped role would demand a second factor of nobody."""
    return [
        Error(
            f"CUPADMIN_REQUIRE_SECOND_FACTOR names {name!r}, which is no role.",
            hint=f"Roles are {', '.join(Role.values)}.",
            id="accounts.E010",
        )
        for name in settings.REQUIRE_SECOND_FACTOR
        if name not in Role.values
    ]
