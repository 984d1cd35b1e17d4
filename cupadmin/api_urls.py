"""The REST resources, version 1."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts.api import AuditEntryViewSet, TokenViewSet
from accounts.api_groups import GroupMappingViewSet, ProvidersView
from accounts.api_me import MeView
from accounts.api_sessions import SessionViewSet
from accounts.api_users import UserViewSet
from clusters.api import NodeViewSet
from cupadmin.api import VersionView
from diagnostics.api import (
    CheckPeer,
    PeerChecks,
    SweepsView,
    TroubleshooterRunViewSet,
)
from exchange.api import MeshCertificatesView, ReadCertificatesView
from history.api import ClusterTimelineView, PeerHistoryView, PeerTimelineView
from jobs.api import JobViewSet, ProcessesView
from mesh.api import (
    AdoptView,
    ApplyView,
    MeshView,
    NeighboursView,
    PlanView,
    ResultsView,
)
from mesh.api_document import DocumentApplyView, DocumentPlanView, DocumentView
from notifications.api import (
    DeliveryViewSet,
    SubscriptionViewSet,
    WebhookViewSet,
    WindowViewSet,
)
from overview.api import ProblemViewSet
from peers.api import PeerViewSet
from peers.api.bulk import BulkApplyView, BulkPlanView
from peers.api.imports import (
    ApplyImportView,
    ExportsView,
    ImportsView,
    ImportView,
)
from proof.api import (
    CanaryClusterViewSet,
    PresenceCertificateView,
    ProofView,
    ProveView,
)
from services.api import RefreshAllView, RefreshView, ServiceViewSet
from sizing.api import PlatformView, SizingView

app_name = "api"

router = SimpleRouter()
router.register("clusters", CanaryClusterViewSet, basename="clusters")
router.register("nodes", NodeViewSet, basename="nodes")
router.register("peers", PeerViewSet, basename="peers")
router.register("services", ServiceViewSet, basename="services")
router.register("jobs", JobViewSet, basename="jobs")
router.register("problems", ProblemViewSet, basename="problems")
router.register(
    "troubleshooter-runs", TroubleshooterRunViewSet, basename="troubleshooter-runs"
)
router.register("tokens", TokenViewSet, basename="tokens")
router.register("users", UserViewSet, basename="users")
router.register("sessions", SessionViewSet, basename="sessions")
router.register("group-mappings", GroupMappingViewSet, basename="group-mappings")
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
    path("me/", MeView.as_view(), name="me"),
    path("identity-providers/", ProvidersView.as_view(), name="identity-providers"),
    path("version/", VersionView.as_view(), name="version"),
    path("processes/", ProcessesView.as_view(), name="processes"),
    path("sweeps/", SweepsView.as_view(), name="sweeps"),
    path("directory/", include("directory.api_urls")),
    path("mesh/", MeshView.as_view(), name="mesh"),
    path("mesh/results/<uuid:pk>/", ResultsView.as_view(), name="mesh-results"),
    path("mesh/adopt/", AdoptView.as_view(), name="mesh-adopt"),
    path(
        "clusters/<uuid:pk>/neighbours/",
        NeighboursView.as_view(),
        name="clusters-neighbours",
    ),
    path(
        "mesh/certificates/",
        MeshCertificatesView.as_view(),
        name="mesh-certificates",
    ),
    path(
        "mesh/certificates/read/",
        ReadCertificatesView.as_view(),
        name="mesh-certificates-read",
    ),
    path("mesh/plan/", PlanView.as_view(), name="mesh-plan"),
    path("mesh/apply/", ApplyView.as_view(), name="mesh-apply"),
    path("mesh/document/", DocumentView.as_view(), name="mesh-document"),
    path("mesh/document/plan/", DocumentPlanView.as_view(), name="mesh-document-plan"),
    path(
        "mesh/document/apply/",
        DocumentApplyView.as_view(),
        name="mesh-document-apply",
    ),
    path("sizing/", SizingView.as_view(), name="sizing"),
    path(
        "sizing/clusters/<uuid:pk>/",
        PlatformView.as_view(),
        name="sizing-platform",
    ),
    path("peers/<uuid:pk>/prove/", ProveView.as_view(), name="peers-prove"),
    path("peers/<uuid:pk>/proof/", ProofView.as_view(), name="peers-proof"),
    path(
        "nodes/<uuid:pk>/presence-certificate/",
        PresenceCertificateView.as_view(),
        name="nodes-presence-certificate",
    ),
    path("services/refresh/", RefreshAllView.as_view(), name="services-refresh"),
    path("exports/", ExportsView.as_view(), name="exports"),
    path("imports/", ImportsView.as_view(), name="imports"),
    path("imports/<uuid:pk>/", ImportView.as_view(), name="imports-detail"),
    path("imports/<uuid:pk>/apply/", ApplyImportView.as_view(), name="imports-apply"),
    path("peers/bulk/plan/", BulkPlanView.as_view(), name="peers-bulk-plan"),
    path("peers/bulk/apply/", BulkApplyView.as_view(), name="peers-bulk-apply"),
    path("peers/check/", PeerChecks.as_view(), name="peers-check-many"),
    path("peers/<uuid:pk>/check/", CheckPeer.as_view(), name="peers-check"),
    path("peers/<uuid:pk>/history/", PeerHistoryView.as_view(), name="peers-history"),
    path(
        "peers/<uuid:pk>/timeline/", PeerTimelineView.as_view(), name="peers-timeline"
    ),
    path(
        "clusters/<uuid:pk>/timeline/",
        ClusterTimelineView.as_view(),
        name="clusters-timeline",
    ),
    path("", include(router.urls)),
]
