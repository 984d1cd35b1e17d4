from django.urls import path

from jobs import views

app_name = "jobs"

urlpatterns = [
    path("", views.find, name="find"),
    path("badge/", views.badge, name="badge"),
    # one job
    path("<uuid:pk>/", views.show, name="show"),
    path("<uuid:pk>/target/", views.target, name="target"),
    path("<uuid:pk>/cancel/", views.cancel, name="cancel"),
    path("<uuid:pk>/retry/", views.retry, name="retry"),
]
