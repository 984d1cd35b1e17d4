"""The sealed secrets of second factors, which the library keeps in JSON."""

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts.secrets import ENVELOPE, seal_secret, unseal_secret

# The library does not say whose secret it is about to store.
SEALED_FOR = "allauth.mfa"
LABEL = "mfa.Authenticator.data"


def factors_with_secrets() -> QuerySet[Any]:
    """Return the second factors that hold a secret; passkeys hold none."""
    found: QuerySet[Any] = Authenticator.objects.exclude(
        type=Authenticator.Type.WEBAUTHN
    )
    return found.order_by("pk")


def envelopes_in(data: dict[str, Any]) -> list[str]:
    single = [data[name] for name in ("secret", "seed") if name in data]
    return single + list(data.get("migrated_codes", []))


def all_envelopes() -> Iterator[str]:
    for data in factors_with_secrets().values_list("data", flat=True):
        yield from envelopes_in(data)


def reseal_data(data: dict[str, Any]) -> dict[str, Any]:
    """Return it with each secret sealed with the current key."""
    fresh = {text: reseal_envelope(text) for text in envelopes_in(data)}
    codes = {
        name: [fresh[text] for text in data[name]]
        for name in ("migrated_codes",)
        if name in data
    }
    single = {name: fresh[data[name]] for name in ("secret", "seed") if name in data}
    return data | single | codes


def reseal_envelope(envelope: str) -> str:
    return seal_secret(unseal_secret(envelope, SEALED_FOR).reveal(), SEALED_FOR)


def rotate_factors() -> int:
    """Seal those again that another key sealed, each row by itself; count the rows."""
    current = f"{ENVELOPE}|{next(iter(settings.FIELD_KEYS))}|"
    return sum(
        rotate_row(pk, current)
        for pk in factors_with_secrets().values_list("pk", flat=True)
    )


@transaction.atomic
def rotate_row(pk: int, current: str) -> bool:
    row = factors_with_secrets().select_for_update().filter(pk=pk).first()
    if row is None or all(text.startswith(current) for text in envelopes_in(row.data)):
        return False
    row.data = reseal_data(row.data)
    row.save(update_fields=["data"])
    return True
