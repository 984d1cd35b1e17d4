"""Checks at start: stored credentials are encrypted, and our keys open them."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, connections

from accounts.identity_checks import sign_in_is_configured
from accounts.secrets import (
    ENVELOPE,
    HoldsSecrets,
    SecretError,
    SecretField,
    seal,
    unseal,
)


def holders() -> Iterator[tuple[type[HoldsSecrets], str]]:
    """Yield every model and field that holds a credential."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, SecretField):
                yield model, field.name  # type: ignore[misc]


@register(Tags.security)
def secrets_are_declared(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Each SecretField belongs to a model that seals it."""
    return [
        Error(
            f"{model._meta.label}.{name} is not among its model's secret_fields.",
            id="accounts.E003",
        )
        for model, name in holders()
        if name not in getattr(model, "secret_fields", ())
    ]


@register(Tags.database)
def credentials_are_sealed(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Refuse to run while a credential lies in the database in the clear."""
    errors: list[CheckMessage] = canary_errors()
    if not databases:
        return errors
    try:
        for model, name in holders():
            errors += column_errors(model, name)
    except DatabaseError:
        # Before the first migration there are no tables, so no credentials.
        return errors
    return errors


def self_test() -> None:
    """Refuse to start web server or worker with what no check lets through."""
    errors = credentials_are_sealed(None, databases=["default"])
    errors += sign_in_is_configured(None)
    # A server that forks from here on must not share the connection.
    connections.close_all()
    if errors:
        raise SystemCheckError("\n".join(str(error) for error in errors))


def canary_errors() -> list[CheckMessage]:
    sealed = seal("canary", "check")
    if "canary" not in sealed and unseal(sealed, "check").reveal() == "canary":
        return []
    return [Error("Sealing a credential does not work.", id="accounts.E004")]


def column_errors(model: type[HoldsSecrets], name: str) -> list[CheckMessage]:
    rows = model._default_manager.exclude(**{name: ""})
    bare = rows.exclude(**{f"{name}__startswith": f"{ENVELOPE}|"}).count()
    if bare:
        return [
            Error(
                f"{bare} values of {model._meta.label}.{name} are not encrypted.",
                hint="Somebody wrote them past the console; enter them anew.",
                id="accounts.E001",
            )
        ]
    canary = rows.first()
    try:
        if canary is not None:
            canary.unseal(name)
    except SecretError as error:
        return [
            Error(
                f"{model._meta.label}.{name}: {error}",
                hint="CUPADMIN_FIELD_KEYS must hold every key that is in use.",
                id="accounts.E002",
            )
        ]
    return []
