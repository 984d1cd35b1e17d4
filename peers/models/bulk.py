"""What people plan to do with many peers at once."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse

from accounts.secrets import HoldsSecrets, SecretField
from base.fields import JSONField


class BulkDraft(HoldsSecrets):
    """What somebody wants to do with the selected peers, until it is confirmed.

    It is kept so that no page carries a password.
    """

    class Action(models.TextChoices):
        CHANGE = "change", "Change"
        DELETE = "delete", "Delete"

    secret_fields: ClassVar[tuple[str, ...]] = ("password",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    action = models.CharField(max_length=10, choices=Action.choices)
    # The ids of the peers, in the order of the list.
    peers = JSONField()
    # What the form asked for, by the names of its fields; empty until it was sent.
    options = JSONField(default=dict)
    password = SecretField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.get_action_display()} {len(self.peers)} peers"

    def get_absolute_url(self) -> str:
        return reverse("peers:bulk_edit", args=[self.pk])

    def choose(self, options: dict[str, Any], password: str = "") -> None:
        """Keep what the form asked for."""
        self.options = options
        self.seal("password", password)
        self.save(update_fields=["options", "password"])
