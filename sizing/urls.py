from django.urls import path

from sizing import views

app_name = "sizing"

urlpatterns = [
    path("", views.show_sizing, name="show"),
    path("profile/", views.edit_profile, name="edit_profile"),
    path("clusters/<uuid:pk>/", views.edit_platform, name="edit_platform"),
]
