"""Addresses of the registry, below /registry/."""

from django.urls import include, path

app_name = "registry"

urlpatterns = [
    path("aggregators/", include("registry.aggregators.urls")),
    path("aggregations/", include("registry.aggregations.urls")),
    path("jurisdictions/", include("registry.jurisdictions.urls")),
    path("rosters/", include("registry.rosters.urls")),
    path("contacts/", include("registry.participants.urls")),
    path("owners/", include("registry.customers.urls")),
    path("intents/", include("registry.intents.urls")),
    path("ders/", include("registry.ders.urls")),
    path("grid/", include("registry.grid.urls")),
    path("prequalification/", include("registry.prequalification.urls")),
    path("reconfigurations/", include("registry.reconfigurations.urls")),
    path("administration/", include("registry.administration.urls")),
    path("", include("registry.submissions.urls")),
]
