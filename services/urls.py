from django.urls import path

from services import views

app_name = "services"

urlpatterns = [
    # a server
    path("", views.server, name="server"),
    path("<uuid:pk>/", views.show, name="show"),
    path("<uuid:pk>/refresh/", views.refresh, name="refresh"),
    # all nodes
    path("grid/", views.grid, name="grid"),
    path("grid/refresh/", views.refresh_all, name="refresh_all"),
    path("agents/", views.agents, name="agents"),
    path("agents/start/", views.start_agents, name="start_agents"),
    # control, after a confirmation
    path("control/", views.control, name="control"),
    # fragments of other apps' pages
    path("summary/<uuid:cluster>/", views.summary, name="summary"),
]
