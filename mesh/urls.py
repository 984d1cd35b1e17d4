from django.urls import path

from mesh import views

app_name = "mesh"

urlpatterns = [
    path("", views.matrix, name="matrix"),
    path("set-up/", views.set_up, name="set_up"),
    path("complete/", views.complete, name="complete"),
    path("adopt/<uuid:pk>/<str:address>/", views.adopt, name="adopt"),
    path("results/<uuid:pk>/", views.show_results, name="results"),
    path("plans/<uuid:pk>/", views.show_plan, name="plan"),
]
