"""Addresses of reconfigurations, below /registry/reconfigurations/."""

from django.urls import path

from registry.reconfigurations import views

urlpatterns = [
    path("", views.Reconfigurations.as_view(), name="reconfigurations"),
    path("new/", views.NewReconfiguration.as_view(), name="reconfiguration_new"),
    path("connection/", views.ConnectionPage.as_view(), name="connection"),
    path("<uuid:uuid>/", views.ReconfigurationDetail.as_view(), name="reconfiguration"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.ReconfigurationTransition.as_view(), name="reconfiguration_transition"),
]
