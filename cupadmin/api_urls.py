"""The REST resources, version 1."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts.api import AuditEntryViewSet, TokenViewSet
from diagnostics.api import CheckPeer, CheckPeers, TroubleshooterRunViewSet
from jobs.api import JobViewSet
from mesh.api import ApplyView, MeshView, PlanView, ResultsView
from notifications.api import (
    DeliveryViewSet,
    SubscriptionViewSet,
    WebhookViewSet,
    WindowViewSet,
)
from peers.api import ClusterViewSet, NodeViewSet, PeerViewSet
from services.api import RefreshView, ServiceViewSet

app_name = "api"

router = SimpleRouter()
router.register("clusters", ClusterViewSet, basename="clusters")
router.register("nodes", NodeViewSet, basename="nodes")
router.register("peers", PeerViewSet, basename="peers")
router.register("services", ServiceViewSet, basename="services")
router.register("jobs", JobViewSet, basename="jobs")
router.register(
    "troubleshooter-runs", TroubleshooterRunViewSet, basename="troubleshooter-runs"
)
router.register("tokens", TokenViewSet, basename="tokens")
router.register("subscriptions", SubscriptionViewSet, basename="subscriptions")
router.register("webhooks", WebhookViewSet, basename="webhooks")
router.register("maintenance-windows", WindowViewSet, basename="maintenance-windows")
router.register("deliveries", DeliveryViewSet, basename="deliveries")
router.register("audit-entries", AuditEntryViewSet, basename="audit-entries")

urlpatterns = [
    path(
        "nodes/<uuid:pk>/services/refresh/",
        RefreshView.as_view(),
        name="nodes-services-refresh",
    ),
    path("directory/", include("directory.api_urls")),
    path("mesh/", MeshView.as_view(), name="mesh"),
    path("mesh/results/<uuid:pk>/", ResultsView.as_view(), name="mesh-results"),
    path("mesh/plan/", PlanView.as_view(), name="mesh-plan"),
    path("mesh/apply/", ApplyView.as_view(), name="mesh-apply"),
    path("peers/check/", CheckPeers.as_view(), name="peers-check-many"),
    path("peers/<uuid:pk>/check/", CheckPeer.as_view(), name="peers-check"),
    path("", include(router.urls)),
]
