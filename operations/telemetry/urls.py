"""Addresses of readiness, below /operations/readiness/."""

from django.urls import path

from operations.telemetry import views

urlpatterns = [
    path("", views.States.as_view(), name="states"),
    path("aggregations/", views.AggregationStates.as_view(), name="aggregation_states"),
    path("<int:pk>/", views.StateDetail.as_view(), name="state"),
]
