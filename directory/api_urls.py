from django.urls import include, path
from rest_framework.routers import SimpleRouter

from directory.api import (
    ComparisonView,
    DuplicatesView,
    LeftoversView,
    LocateView,
    SnapshotViewSet,
)

router = SimpleRouter()
router.register("snapshots", SnapshotViewSet, basename="directory-snapshots")

urlpatterns = [
    path("comparison/", ComparisonView.as_view(), name="directory-comparison"),
    path("duplicates/", DuplicatesView.as_view(), name="directory-duplicates"),
    path("leftovers/", LeftoversView.as_view(), name="directory-leftovers"),
    path("locate/", LocateView.as_view(), name="directory-locate"),
    path("", include(router.urls)),
]
