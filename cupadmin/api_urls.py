"""The REST resources, version 1."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts.api import AuditEntryViewSet, TokenViewSet
from jobs.api import JobViewSet
from peers.api import ClusterViewSet, NodeViewSet, PeerViewSet

app_name = "api"

router = SimpleRouter()
router.register("clusters", ClusterViewSet, basename="clusters")
router.register("nodes", NodeViewSet, basename="nodes")
router.register("peers", PeerViewSet, basename="peers")
router.register("jobs", JobViewSet, basename="jobs")
router.register("tokens", TokenViewSet, basename="tokens")
router.register("audit-entries", AuditEntryViewSet, basename="audit-entries")

urlpatterns = [path("", include(router.urls))]
