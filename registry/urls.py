"""Addresses of the registry, below /registry/."""

from django.urls import include, path

app_name = "registry"

urlpatterns = [
    path("aggregations/", include("registry.aggregations.urls")),
    path("ders/", include("registry.ders.urls")),
    path("grid/", include("registry.grid.urls")),
    path("prequalification/", include("registry.prequalification.urls")),
    path("administration/", include("registry.administration.urls")),
    path("", include("registry.submissions.urls")),
]
