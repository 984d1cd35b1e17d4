from django.urls import path

from clusters.views import certificates, clusters, nodes, own_pages, peer_table

app_name = "clusters"

urlpatterns = [
    # clusters
    path("system/clusters/", clusters.list_clusters, name="clusters"),
    path("system/clusters/add/", clusters.add_cluster, name="add_cluster"),
    path(
        "system/clusters/certificates/",
        certificates.compare_certificates,
        name="certificates",
    ),
    path("system/clusters/<uuid:pk>/", clusters.show_cluster, name="show_cluster"),
    path("system/clusters/<uuid:pk>/edit/", clusters.edit_cluster, name="edit_cluster"),
    path(
        "system/clusters/<uuid:pk>/delete/",
        clusters.delete_cluster,
        name="delete_cluster",
    ),
    path(
        "system/clusters/<uuid:pk>/discover/",
        clusters.discover_cluster,
        name="discover",
    ),
    path(
        "system/clusters/<uuid:pk>/peer-table/",
        peer_table.peer_table,
        name="peer_table",
    ),
    path(
        "system/clusters/<uuid:pk>/peer-table/recognise/",
        peer_table.recognise_table,
        name="recognise",
    ),
    path(
        "system/clusters/<uuid:pk>/peer-table/export/",
        peer_table.export_table,
        name="export_table",
    ),
    path("system/clusters/<uuid:pk>/test/", clusters.test_cluster, name="test"),
    path(
        "system/clusters/<uuid:pk>/pages/describe/",
        own_pages.describe_pages,
        name="describe_pages",
    ),
    path(
        "system/clusters/<uuid:pk>/pages/description/",
        own_pages.download_description,
        name="pages_description",
    ),
    # nodes
    path("system/clusters/<uuid:pk>/nodes/add/", nodes.add_node, name="add_node"),
    path("system/nodes/<uuid:pk>/", nodes.show_node, name="show_node"),
    path("system/nodes/<uuid:pk>/edit/", nodes.edit_node, name="edit_node"),
    path("system/nodes/<uuid:pk>/delete/", nodes.delete_node, name="delete_node"),
    path(
        "system/nodes/<uuid:pk>/certificate/",
        nodes.node_certificate,
        name="certificate",
    ),
    path("system/nodes/<uuid:pk>/trust/", nodes.trust_node, name="trust"),
]
