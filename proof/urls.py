from django.urls import path

from proof import views

app_name = "proof"

urlpatterns = [
    path("peers/<uuid:pk>/", views.show_line, name="line"),
    path("peers/<uuid:pk>/prove/", views.prove_peering, name="prove"),
    path("peers/<uuid:pk>/history/", views.show_proofs, name="history"),
    path("clusters/<uuid:pk>/", views.show_canary, name="canary"),
    path("nodes/<uuid:pk>/certificate/", views.show_certificate, name="certificate"),
    path("nodes/<uuid:pk>/trust/", views.trust_service, name="trust"),
]
