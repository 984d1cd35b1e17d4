from django.urls import path

from peers.views import (
    clusters,
    drift,
    exchange,
    find,
    guide,
    nodes,
    peers,
    searches,
)

app_name = "peers"

urlpatterns = [
    # clusters
    path("system/clusters/", clusters.clusters, name="clusters"),
    path("system/clusters/add/", clusters.add_cluster, name="add_cluster"),
    path("system/clusters/<uuid:pk>/", clusters.show_cluster, name="show_cluster"),
    path("system/clusters/<uuid:pk>/edit/", clusters.edit_cluster, name="edit_cluster"),
    path(
        "system/clusters/<uuid:pk>/delete/",
        clusters.delete_cluster,
        name="delete_cluster",
    ),
    path("system/clusters/<uuid:pk>/discover/", clusters.discover, name="discover"),
    path("system/clusters/<uuid:pk>/test/", clusters.test, name="test"),
    # nodes
    path("system/clusters/<uuid:pk>/nodes/add/", nodes.add_node, name="add_node"),
    path("system/nodes/<uuid:pk>/", nodes.show_node, name="show_node"),
    path("system/nodes/<uuid:pk>/edit/", nodes.edit_node, name="edit_node"),
    path("system/nodes/<uuid:pk>/delete/", nodes.delete_node, name="delete_node"),
    path("system/nodes/<uuid:pk>/certificate/", nodes.certificate, name="certificate"),
    path("system/nodes/<uuid:pk>/trust/", nodes.trust, name="trust"),
    # peers
    path("presence/inter-clustering/", find.find, name="find"),
    path("presence/inter-clustering/export/", find.export, name="export"),
    path(
        "presence/inter-clustering/mask-preview/",
        peers.mask_preview,
        name="mask_preview",
    ),
    path("presence/inter-clustering/save-search/", searches.save, name="save_search"),
    path(
        "presence/inter-clustering/searches/<int:pk>/delete/",
        searches.delete,
        name="delete_search",
    ),
    # import and export
    path("presence/inter-clustering/import/", exchange.upload, name="import"),
    path(
        "presence/inter-clustering/import/<uuid:pk>/",
        exchange.preview,
        name="import_preview",
    ),
    path(
        "presence/inter-clustering/export/<slug:what>/",
        exchange.export,
        name="export_file",
    ),
    path("presence/inter-clustering/add/", peers.add_peer, name="add_peer"),
    path(
        "presence/inter-clustering/delete-selected/",
        find.delete_selected,
        name="delete_selected",
    ),
    path("presence/inter-clustering/<uuid:pk>/", peers.edit_peer, name="edit_peer"),
    path(
        "presence/inter-clustering/<uuid:pk>/provisioning/",
        peers.provisioning,
        name="provisioning",
    ),
    path(
        "presence/inter-clustering/<uuid:pk>/delete/",
        peers.delete_peer,
        name="delete_peer",
    ),
    path("presence/inter-clustering/<uuid:pk>/drift/", drift.show, name="drift"),
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
    path("presence/inter-clustering/<uuid:pk>/guide/", guide.guide, name="guide"),
    path("presence/inter-clustering/<uuid:pk>/look/", guide.look, name="look"),
    path("presence/inter-clustering/<uuid:pk>/reveal/", guide.reveal, name="reveal"),
    path("presence/inter-clustering/<uuid:pk>/resync/", peers.resync, name="resync"),
]
