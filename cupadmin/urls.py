"""The map of the console: the product's own, Administration and Serviceability."""

from django.urls import include, path

from cupadmin import views
from overview.views import show_overview

urlpatterns = [
    path("", show_overview, name="home"),
    path("overview/", include("overview.urls")),
    path("history/", include("history.urls")),
    path("search/", views.search_console, name="search"),
    path("help/", views.help_index, name="help"),
    path("help/<slug:chapter>/", views.help_chapter, name="help_chapter"),
    path("views/", include("ui.urls")),
    path("search/suggestions/", views.suggest_results, name="suggestions"),
    path("administration/system/jobs/", include("jobs.urls")),
    path("administration/system/processes/", views.processes, name="processes"),
    path("administration/system/notifications/", include("notifications.urls")),
    path("administration/system/", include("accounts.sign_in_urls")),
    path("administration/system/", include("accounts.urls")),
    path("administration/presence/mesh/", include("mesh.urls")),
    path("administration/presence/sizing/", include("sizing.urls")),
    path("administration/presence/proof/", include("proof.urls")),
    path("administration/presence/certificates/", include("exchange.urls")),
    path("administration/presence/directory/", include("directory.urls")),
    # System > Clusters
    path("administration/", include("clusters.urls")),
    # Presence > Inter-Clustering
    path("administration/", include("peers.urls")),
    path("administration/diagnostics/", include("diagnostics.urls")),
    path("serviceability/control-center/", include("services.urls")),
    # REST
    path("api/v1/", include("cupadmin.api_urls")),
    path("api/v1/schema/", views.schema, name="schema"),
    path("api/v1/docs/", views.api_docs, name="docs"),
    # health
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]

handler400 = "cupadmin.errors.bad_request"
handler403 = "cupadmin.errors.forbidden_page"
handler404 = "cupadmin.errors.not_found"
handler500 = "cupadmin.errors.server_error"
