"""Credentials at rest: AES-256-GCM, bound to the row and field that hold them."""

import os
from base64 import b64decode, b64encode
from typing import Any, ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

from wire import Secret

ENVELOPE = "v1"


class SecretError(Exception):
    """A stored credential cannot be opened: key missing, or moved from its row."""


def seal_secret(plain: str, context: str) -> str:
    """Return `v1|key id|nonce|ciphertext`, which only opens in the same context."""
    key_id, key = next(iter(settings.FIELD_KEYS.items()))
    nonce = os.urandom(12)
    ciphertext = AESGCM(key).encrypt(nonce, plain.encode(), context.encode())
    parts = [b64encode(nonce).decode(), b64encode(ciphertext).decode()]
    return "|".join([ENVELOPE, key_id, *parts])


def unseal_secret(envelope: str, context: str) -> Secret:
    try:
        version, key_id, nonce, ciphertext = envelope.split("|")
        if version != ENVELOPE:
            raise ValueError(version)
        key = settings.FIELD_KEYS[key_id]
        plain = AESGCM(key).decrypt(
            b64decode(nonce), b64decode(ciphertext), context.encode()
        )
    except KeyError:
        raise SecretError(
            f"The key {key_id!r} that sealed a credential is not in FIELD_KEYS."
        ) from None
    except (ValueError, InvalidTag):
        raise SecretError(
            "A stored credential does not open: it is damaged or from another row."
        ) from None
    return Secret(plain.decode())


class SecretField(models.TextField[str, str]):
    """An envelope made by `seal`; empty when there is no credential."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"blank": True, "editable": False}))


class HoldsSecrets(models.Model):
    """A model with SecretFields. The row's id is part of what is sealed."""

    class Meta:
        abstract = True

    secret_fields: ClassVar[tuple[str, ...]] = ()

    def seal(self, field: str, plain: str) -> None:
        sealed = seal_secret(plain, self._secret_context(field)) if plain else ""
        setattr(self, field, sealed)

    def unseal(self, field: str) -> Secret:
        envelope = getattr(self, field)
        return (
            unseal_secret(envelope, self._secret_context(field))
            if envelope
            else Secret("")
        )

    def _secret_context(self, field: str) -> str:
        return f"{self._meta.label_lower}:{self.pk}:{field}"
