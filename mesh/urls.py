from django.urls import path

from mesh import onboarding_views, views

app_name = "mesh"

urlpatterns = [
    path("", views.show_matrix, name="matrix"),
    path("pair/", views.show_pair, name="pair"),
    path("set-up/", views.set_up, name="set_up"),
    path("rotate/<uuid:pk>/", views.rotate_password, name="rotate"),
    path("complete/", views.complete_mesh, name="complete"),
    path("first-steps/", views.first_steps, name="first_steps"),
    path("running/", views.adopt_mesh, name="running"),
    path("neighbours/", onboarding_views.add_neighbours, name="add_neighbours"),
    path("running/read/", views.read_again, name="read_again"),
    path("adopt/<uuid:pk>/<slug:entry>/", views.adopt_entry, name="adopt"),
    path("results/<uuid:pk>/", views.show_results, name="results"),
    path("plans/<uuid:pk>/", views.show_plan, name="plan"),
]
