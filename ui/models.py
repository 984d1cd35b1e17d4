"""Views of lists that people keep under a name."""

from django.conf import settings
from django.db import models
from django.urls import reverse


class SavedView(models.Model):
    """A list as somebody keeps it: its filters, its order and its columns."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    # The name of the URL of the list, as in `ui.lists`.
    list = models.CharField(max_length=60)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "list", "name"], name="saved_view_once_per_list"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{reverse(self.list)}?{self.query}"
