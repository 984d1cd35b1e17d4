"""The REST resources, version 1."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from accounts.api import AuditEntryViewSet, TokenViewSet
from jobs.api import JobViewSet

app_name = "api"

router = SimpleRouter()
router.register("jobs", JobViewSet, basename="jobs")
router.register("tokens", TokenViewSet, basename="tokens")
router.register("audit-entries", AuditEntryViewSet, basename="audit-entries")

urlpatterns = [path("", include(router.urls))]
