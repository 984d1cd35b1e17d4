from django.urls import path

from peers.bulk import views as bulk
from peers.find import views as find
from peers.imports import views as imports
from peers.views import drift, guide, peers

app_name = "peers"

urlpatterns = [
    path("presence/inter-clustering/", find.find_peers, name="find"),
    path("presence/inter-clustering/export/", find.export_peers, name="export"),
    path(
        "presence/inter-clustering/mask-preview/",
        peers.mask_preview,
        name="mask_preview",
    ),
    path("presence/inter-clustering/advice/", peers.advise, name="advise"),
    # import and export
    path("presence/inter-clustering/import/", imports.upload_file, name="import"),
    path(
        "presence/inter-clustering/import/<uuid:pk>/",
        imports.preview_upload,
        name="import_preview",
    ),
    path(
        "presence/inter-clustering/export/<slug:what>/",
        imports.export_file,
        name="export_file",
    ),
    path("presence/inter-clustering/add/", peers.add_peer, name="add_peer"),
    # many at once
    path("presence/inter-clustering/bulk/", bulk.choose_action, name="bulk_choose"),
    path(
        "presence/inter-clustering/bulk/<uuid:pk>/",
        bulk.edit_selected,
        name="bulk_edit",
    ),
    path(
        "presence/inter-clustering/bulk/<uuid:pk>/plan/",
        bulk.show_plan,
        name="bulk_plan",
    ),
    path(
        "presence/inter-clustering/bulk/<uuid:pk>/apply/",
        bulk.apply_draft,
        name="bulk_apply",
    ),
    # one
    path("presence/inter-clustering/<uuid:pk>/", peers.edit_peer, name="edit_peer"),
    path(
        "presence/inter-clustering/<uuid:pk>/provisioning/",
        peers.show_progress,
        name="provisioning",
    ),
    path(
        "presence/inter-clustering/<uuid:pk>/delete/",
        peers.delete_peer,
        name="delete_peer",
    ),
    path("presence/inter-clustering/<uuid:pk>/drift/", drift.show_drift, name="drift"),
    path(
        "presence/inter-clustering/<uuid:pk>/take-over/",
        drift.take_over,
        name="take_over",
    ),
    path(
        "presence/inter-clustering/<uuid:pk>/write-again/",
        drift.write_again,
        name="write_again",
    ),
    path("presence/inter-clustering/<uuid:pk>/guide/", guide.show_guide, name="guide"),
    path("presence/inter-clustering/<uuid:pk>/look/", guide.check_now, name="look"),
    path(
        "presence/inter-clustering/<uuid:pk>/attest/", guide.attest_entry, name="attest"
    ),
    path(
        "presence/inter-clustering/<uuid:pk>/reveal/",
        guide.reveal_password,
        name="reveal",
    ),
    path(
        "presence/inter-clustering/<uuid:pk>/resync/", peers.resync_peer, name="resync"
    ),
    path(
        "presence/inter-clustering/<uuid:pk>/manual-sync/",
        peers.force_sync,
        name="force_sync",
    ),
]
