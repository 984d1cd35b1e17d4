from django.urls import path

from diagnostics import exports, views

app_name = "diagnostics"

urlpatterns = [
    # the troubleshooter and its runs
    path("system-troubleshooter/", views.show_troubleshooter, name="troubleshooter"),
    path("system-troubleshooter/runs/", views.list_runs, name="runs"),
    path("system-troubleshooter/<uuid:pk>/", views.show_run_page, name="run"),
    path("system-troubleshooter/<uuid:pk>/rows/", views.list_rows, name="rows"),
    path(
        "system-troubleshooter/<uuid:pk>/comparison/",
        views.compare_with_earlier,
        name="comparison",
    ),
    path("system-troubleshooter/<uuid:pk>/report/", views.print_run, name="report"),
    path("system-troubleshooter/<uuid:pk>/csv/", exports.as_csv, name="run_csv"),
    path("system-troubleshooter/<uuid:pk>/json/", exports.as_json, name="run_json"),
    # what the pages of peers and the overview show
    path("peers/<uuid:pk>/status/", views.peer_status, name="peer_status"),
    path("peers/<uuid:pk>/check/", views.check_peer, name="check_peer"),
    path("peers/check-selected/", views.check_selected, name="check_selected"),
]
