"""Files that people keep until they are imported."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.secrets import HoldsSecrets, SecretField


class Upload(HoldsSecrets):
    """A file between its preview and its import; sealed, it may hold passwords."""

    secret_fields: ClassVar[tuple[str, ...]] = ("content",)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    content = SecretField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def is_yaml(self) -> bool:
        return self.name.lower().endswith((".yaml", ".yml"))
