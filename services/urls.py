from django.urls import path

from services import views

app_name = "services"

urlpatterns = [
    # a server
    path("", views.choose_server, name="server"),
    path("<uuid:pk>/", views.show_server, name="show"),
    path("<uuid:pk>/refresh/", views.refresh_server, name="refresh"),
    # all nodes
    path("grid/", views.show_grid, name="grid"),
    path("grid/refresh/", views.refresh_all, name="refresh_all"),
    path("agents/", views.list_agents, name="agents"),
    path("agents/start/", views.start_agents, name="start_agents"),
    # control, after a confirmation
    path("control/", views.control_services, name="control"),
    # fragments of other apps' pages
    path("summary/<uuid:cluster>/", views.show_summary, name="summary"),
]
