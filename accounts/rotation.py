"""Sealing all credentials again with the current key."""

from collections.abc import Iterator

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Left

from accounts import factor_secrets
from accounts.checks import secret_fields
from accounts.models import ApiToken
from accounts.secrets import ENVELOPE, HoldsSecrets

BATCH = 100


def current_prefix() -> str:
    return f"{ENVELOPE}|{next(iter(settings.FIELD_KEYS))}|"


def rotate_keys() -> Iterator[tuple[str, int]]:
    """Seal again, in batches that each commit, and yield (what, how many)."""
    for model, name in secret_fields():
        while done := rotate_batch(model, name):
            yield f"{model._meta.label}.{name}", done
    if done := factor_secrets.rotate_factors():
        yield factor_secrets.LABEL, done


@transaction.atomic
def rotate_batch(model: type[HoldsSecrets], name: str) -> int:
    """Seal some rows that another key sealed; 0 when there is none left.

    Rows are locked, since an edit of the credential at the same time must win.
    """
    prefix = current_prefix()
    # Compared exactly: for SQLite "startswith" would take key a for key A.
    sealed = model._default_manager.exclude(**{name: ""})
    with_prefix = sealed.annotate(beginning=Left(name, len(prefix)))
    old = with_prefix.exclude(beginning=prefix)
    rows = list(old.select_for_update().order_by("pk")[:BATCH])
    for row in rows:
        before = getattr(row, name)
        row.seal(name, row.unseal(name).reveal())
        model._default_manager.filter(pk=row.pk, **{name: before}).update(
            **{name: getattr(row, name)}
        )
    return len(rows)


def keys_in_use() -> dict[str, int]:
    """Count by key id the credentials and tokens that need that key."""
    used = dict.fromkeys(settings.FIELD_KEYS, 0)
    for model, name in secret_fields():
        for envelope in model._default_manager.exclude(**{name: ""}).values_list(
            name, flat=True
        ):
            key_id = envelope.split("|")[1]
            used[key_id] = used.get(key_id, 0) + 1
    for envelope in factor_secrets.all_envelopes():
        key_id = envelope.split("|")[1]
        used[key_id] = used.get(key_id, 0) + 1
    for digest in ApiToken.objects.values_list("digest", flat=True):
        key_id = digest.partition("$")[0]
        used[key_id] = used.get(key_id, 0) + 1
    return used
