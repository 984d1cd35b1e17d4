from django.urls import path

from directory import views

app_name = "directory"

urlpatterns = [
    path("", views.show_user, name="locate"),
    path("snapshots/take/", views.take_snapshot, name="take"),
    path("comparison/", views.list_comparisons, name="comparisons"),
    path("comparison/leftovers/", views.leftover_users, name="leftovers"),
    path("comparison/<uuid:pk>/", views.show_comparison, name="comparison"),
    path("duplicates/", views.duplicate_users, name="duplicates"),
    path("moves/", views.show_moves, name="moves"),
    path("mask-preview/", views.mask_preview, name="mask_preview"),
]
