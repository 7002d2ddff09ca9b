"""Addresses of operations, below /operations/."""

from django.urls import include, path

app_name = "operations"

urlpatterns = [
    path("networks/", include("operations.network.urls")),
    path("outages/", include("operations.outages.urls")),
    path("feeders/", include("operations.overview.urls")),
    path("interfaces/", include("operations.coordination.urls")),
    path("reliability/", include("operations.reliability.urls")),
    path("responses/", include("operations.responses.urls")),
    path("interconnection/", include("operations.interconnection.urls")),
    path("screens/", include("operations.screening.urls")),
    path("hosting/", include("operations.hosting.urls")),
    path("transformers/", include("operations.deferral.urls")),
    path("readiness/", include("operations.telemetry.urls")),
    path("forecasts/", include("operations.forecasts.urls")),
    path("envelopes/policies/", include("operations.sharing.urls")),
    path("envelopes/outcomes/", include("operations.outcomes.urls")),
    path("envelopes/groups/", include("operations.groups.urls")),
    path("envelopes/", include("operations.envelopes.urls")),
]
