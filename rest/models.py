"""Remembered answers for Idempotency-Key, and the counts of requests."""

from django.conf import settings
from django.db import models

from base.fields import JSONField


class IdempotentAnswer(models.Model):
    """The first answer to a POST with an Idempotency-Key, kept for a day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    # What the first requester might do: {"rank": of the role, "clusters": ids or null}.
    rights = JSONField(default=dict)
    status = models.PositiveSmallIntegerField(null=True)
    body = JSONField(null=True)
    headers = JSONField(default=dict)
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
