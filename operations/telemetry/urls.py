"""Addresses of readiness, below /operations/readiness/."""

from django.urls import path

from operations.telemetry import views

urlpatterns = [
    path("", views.States.as_view(), name="states"),
    path("aggregations/", views.AggregationStates.as_view(), name="aggregation_states"),
    path("grid/", views.SubjectStates.as_view(), name="subject_states"),
    path("grid/<int:pk>/", views.SubjectDetail.as_view(), name="subject_state"),
    path("owed/", views.Checks.as_view(), name="telemetry_checks"),
    path("<int:pk>/", views.StateDetail.as_view(), name="state"),
]
