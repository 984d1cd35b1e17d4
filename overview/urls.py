from django.urls import path

from overview import views

app_name = "overview"

urlpatterns = [
    path("live/", views.show_live, name="live"),
    path("check-now/", views.check_now, name="check_now"),
    path("problems/", views.list_problems, name="problems"),
    path(
        "problems/<uuid:pk>/acknowledge/", views.acknowledge_problem, name="acknowledge"
    ),
    path("problems/<uuid:pk>/snooze/", views.snooze_problem, name="snooze"),
    path("problems/<uuid:pk>/reopen/", views.reopen_problem, name="reopen"),
]
