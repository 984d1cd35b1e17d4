from django.urls import path

from diagnostics import exports, views

app_name = "diagnostics"

urlpatterns = [
    # the troubleshooter and its runs
    path("system-troubleshooter/", views.troubleshooter, name="troubleshooter"),
    path("system-troubleshooter/<uuid:pk>/", views.run, name="run"),
    path("system-troubleshooter/<uuid:pk>/rows/", views.rows, name="rows"),
    path(
        "system-troubleshooter/<uuid:pk>/comparison/",
        views.comparison,
        name="comparison",
    ),
    path("system-troubleshooter/<uuid:pk>/report/", views.printed, name="report"),
    path("system-troubleshooter/<uuid:pk>/csv/", exports.as_csv, name="run_csv"),
    path("system-troubleshooter/<uuid:pk>/json/", exports.as_json, name="run_json"),
    # what the pages of peers and the overview show
    path("peers/<uuid:pk>/status/", views.peer_status, name="peer_status"),
    path("peers/<uuid:pk>/history/", views.peer_history, name="peer_history"),
    path("peers/<uuid:pk>/check/", views.check_peer, name="check_peer"),
    path("attention/", views.attention, name="attention"),
    path("last-sweep/", views.last_sweep, name="last_sweep"),
]
