"""Checks at start: stored credentials are encrypted, and our keys open them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, connections

from accounts import factor_secrets
from accounts.identity_checks import sign_in_is_configured
from accounts.secrets import (
    ENVELOPE,
    HoldsSecrets,
    SecretError,
    SecretField,
    seal_secret,
    unseal_secret,
)


def secret_fields() -> Iterator[tuple[type[HoldsSecrets], str]]:
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
        for model, name in secret_fields()
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
        for model, name in secret_fields():
            errors += column_errors(model, name)
        errors += factor_errors()
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
    sealed = seal_secret("canary", "check")
    if "canary" not in sealed and unseal_secret(sealed, "check").reveal() == "canary":
        return []
    return [Error("Sealing a credential does not work.", id="accounts.E004")]


def column_errors(model: type[HoldsSecrets], name: str) -> list[CheckMessage]:
    """Look at the key of every value of a column, and open some under each key."""
    by_key: dict[str, list[Any]] = {}
    bare = 0
    rows = model._base_manager.exclude(**{name: ""}).order_by("pk")
    for pk, envelope in rows.values_list("pk", name).iterator():
        version, _, rest = envelope.partition("|")
        if version != ENVELOPE:
            bare += 1
            continue
        by_key.setdefault(rest.partition("|")[0], []).append(pk)
    errors = [bare_values(model, name, bare)] if bare else []
    for key_id, pks in by_key.items():
        errors += key_errors(model, name, key_id, pks)
    return errors


def factor_errors() -> list[CheckMessage]:
    """Open the secrets of all second factors: there are a few for each user."""
    errors: Counter[str] = Counter()
    for envelope in factor_secrets.all_envelopes():
        try:
            unseal_secret(envelope, factor_secrets.SEALED_FOR)
        except SecretError as error:
            errors[str(error)] += 1
    return [
        Error(
            f"{factor_secrets.LABEL}, {number} values: {error}",
            hint="CUPADMIN_FIELD_KEYS must hold every key that is in use.",
            id="accounts.E005",
        )
        for error, number in errors.items()
    ]


def bare_values(model: type[HoldsSecrets], name: str, number: int) -> CheckMessage:
    return Error(
        f"{number} values of {model._meta.label}.{name} are not encrypted.",
        hint="They were not written by the console; enter them again.",
        id="accounts.E001",
    )


def key_errors(
    model: type[HoldsSecrets], name: str, key_id: str, pks: list[Any]
) -> list[CheckMessage]:
    """Open the oldest and the newest value that one key sealed."""
    try:
        for row in model._base_manager.filter(pk__in={pks[0], pks[-1]}):
            row.unseal(name)
    except SecretError as error:
        return [
            Error(
                f"{model._meta.label}.{name}, {len(pks)} values under the key "
                f"{key_id!r}: {error}",
                hint="CUPADMIN_FIELD_KEYS must hold every key that is in use.",
                id="accounts.E002",
            )
        ]
    return []
