"""The map of the console: the product's own, Administration and Serviceability."""

from django.urls import include, path

from cupadmin import views

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("administration/system/jobs/", include("jobs.urls")),
    path("administration/system/notifications/", include("notifications.urls")),
    path("administration/system/", include("accounts.urls")),
    path("administration/presence/mesh/", include("mesh.urls")),
    path("administration/presence/directory/", include("directory.urls")),
    # System > Clusters and Presence > Inter-Clustering
    path("administration/", include("peers.urls")),
    path("administration/diagnostics/", include("diagnostics.urls")),
    path("serviceability/control-center/", include("services.urls")),
    # REST
    path("api/v1/", include("cupadmin.api_urls")),
    path("api/v1/schema/", views.schema, name="schema"),
    path("api/v1/docs/", views.docs, name="docs"),
    # health
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]

handler400 = "cupadmin.errors.bad_request"
handler403 = "cupadmin.errors.forbidden"
handler404 = "cupadmin.errors.not_found"
handler500 = "cupadmin.errors.server_error"
