"""Revisions for optimistic locking, and remembered answers for Idempotency-Key."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


class Stale(Exception):
    """The row was changed since it was read."""


class Revised(models.Model):
    """A row that counts its edits, so that the second of two editors is told."""

    revision = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True

    @property
    def etag(self) -> str:
        return f'"{self.pk}-{self.revision}"'

    def save_edit(self, *fields: str) -> None:
        """Write these fields if nobody else edited the row; else raise Stale."""
        if hasattr(self, "updated_at"):
            # update() passes by what auto_now does.
            self.updated_at = timezone.now()
            fields = (*fields, "updated_at")
        values: dict[str, Any] = {name: getattr(self, name) for name in fields}
        edited = type(self)._default_manager.filter(pk=self.pk, revision=self.revision)
        if not edited.update(**values, revision=self.revision + 1):
            raise Stale(f"{self} was changed by somebody else in the meantime.")
        self.revision += 1


class IdempotentAnswer(models.Model):
    """The first answer to a POST with an Idempotency-Key, kept for a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotent_once")
        ]

    def __str__(self) -> str:
        return self.key


class Allowance(models.Model):
    """How many requests of one token or browser were taken in a minute."""

    holder = models.CharField(primary_key=True, max_length=64)
    window = models.BigIntegerField()
    used = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.holder}: {self.used}"
