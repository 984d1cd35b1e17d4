from django.urls import path

from jobs import views

app_name = "jobs"

urlpatterns = [
    path("", views.list_jobs, name="find"),
    path("badge/", views.jobs_badge, name="badge"),
    # one job
    path("<uuid:pk>/", views.show_job, name="show"),
    path("<uuid:pk>/target/", views.show_target, name="target"),
    path("<uuid:pk>/cancel/", views.cancel_job, name="cancel"),
    path("<uuid:pk>/retry/", views.retry_job, name="retry"),
]
