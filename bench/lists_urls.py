"""The console's pages, and Django admin beside them."""

from django.contrib import admin
from django.urls import path

from cupadmin.urls import urlpatterns as pages
from peers.models import Peer


class PeerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The same columns as Find and List, and filters for the same criteria."""

    list_display = (
        "outcome",
        "address",
        "cluster",
        "remote_cluster",
        "username",
        "protocol",
        "associated_users",
        "checked_at",
    )
    list_filter = ("outcome", "cluster", "remote_cluster", "protocol")
    list_select_related = ("cluster", "remote_cluster")
    list_per_page = 50
    search_fields = ("address",)


admin.site.register(Peer, PeerAdmin)
urlpatterns = [path("admin/", admin.site.urls), *pages]
