"""Addresses of operations, below /operations/."""

from django.urls import include, path

app_name = "operations"

urlpatterns = [
    path("networks/", include("operations.network.urls")),
    path("readiness/", include("operations.telemetry.urls")),
    path("envelopes/", include("operations.envelopes.urls")),
]
