"""Addresses of networks, below /operations/networks/."""

from django.urls import path

from operations.network import views

urlpatterns = [
    path("", views.Networks.as_view(), name="networks"),
    path("new/", views.NewNetwork.as_view(), name="network_new"),
    path("<uuid:uuid>/", views.NetworkDetail.as_view(), name="network"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.NetworkTransition.as_view(), name="network_transition"),
]
