from django.urls import path

from exchange import views

app_name = "exchange"

urlpatterns = [
    path("", views.show_exchange, name="show"),
    path("read/", views.read_all, name="read"),
    path("clusters/<uuid:pk>/read/", views.read_cluster, name="read_cluster"),
    path("peers/<uuid:pk>/", views.show_pair, name="pair"),
]
