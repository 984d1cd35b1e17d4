from django.urls import path

from history import views

app_name = "history"

urlpatterns = [
    path("", views.mesh_history, name="everything"),
    path("clusters/<uuid:pk>/", views.cluster_history, name="cluster"),
    path(
        "clusters/<uuid:pk>/timeline/", views.cluster_timeline, name="cluster_timeline"
    ),
    path("peers/<uuid:pk>/", views.peer_history, name="peer"),
    path("peers/<uuid:pk>/timeline/", views.peer_timeline, name="peer_timeline"),
]
