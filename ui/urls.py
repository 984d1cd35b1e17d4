from django.urls import path

from ui import views

app_name = "ui"

urlpatterns = [
    path("save/", views.save_view, name="save_view"),
    path("<int:pk>/delete/", views.delete_view, name="delete_view"),
]
