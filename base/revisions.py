"""Revisions for optimistic locking."""

from typing import Any

from django.db import models
from django.utils import timezone


class Stale(Exception):
    """The row was changed since it was read."""


class Revised(models.Model):
    """A row that counts its edits, so that a second editor overwrites no first."""

    revision = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True

    @property
    def etag(self) -> str:
        return f'"{self.pk}-{self.revision}"'

    def hold_revision(self) -> None:
        """Keep others from editing the row until the transaction ends.

        Raises:
            Stale: somebody edited or deleted it since it was read.
        """
        same = type(self)._default_manager.filter(pk=self.pk, revision=self.revision)
        if not same.update(revision=self.revision):
            raise Stale(f"{self} was changed by somebody else in the meantime.")

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
