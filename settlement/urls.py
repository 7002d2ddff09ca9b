"""Addresses of the settlement, below /settlement/."""

from django.urls import include, path

app_name = "settlement"

urlpatterns = [
    path("", include("settlement.disputes.urls")),
]
