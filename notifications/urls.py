from django.urls import path

from notifications import views

app_name = "notifications"

urlpatterns = [
    # one's own
    path("", views.my_notifications, name="mine"),
    path("badge/", views.notifications_badge, name="badge"),
    path("read/", views.mark_read, name="read"),
    path("test-mail/", views.test_mail, name="test_mail"),
    # webhooks
    path("webhooks/", views.list_webhooks, name="webhooks"),
    path("webhooks/<uuid:pk>/", views.edit_webhook, name="edit_webhook"),
    path("webhooks/<uuid:pk>/test/", views.test_webhook, name="test_webhook"),
    path("webhooks/<uuid:pk>/delete/", views.delete_webhook, name="delete_webhook"),
    # maintenance of a cluster
    path("maintenance/<uuid:cluster>/", views.show_maintenance, name="maintenance"),
    path(
        "maintenance/<uuid:cluster>/end/", views.end_maintenance, name="end_maintenance"
    ),
    path(
        "windows/<uuid:pk>/cancel/",
        views.cancel_maintenance,
        name="cancel_maintenance",
    ),
]
