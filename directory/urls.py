from django.urls import path

from directory import views

app_name = "directory"

urlpatterns = [
    path("", views.locate, name="locate"),
    path("snapshots/take/", views.take, name="take"),
    path("comparison/", views.comparisons, name="comparisons"),
    path("comparison/leftovers/", views.leftover_users, name="leftovers"),
    path("comparison/<uuid:pk>/", views.comparison, name="comparison"),
    path("duplicates/", views.duplicate_users, name="duplicates"),
    path("moves/", views.moves, name="moves"),
    path("mask-preview/", views.mask_preview, name="mask_preview"),
]
