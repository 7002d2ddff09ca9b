"""Addresses of outcomes, below /operations/envelopes/outcomes/."""

from django.urls import path

from moc.exports import CsvExport
from operations.outcomes import views

urlpatterns = [
    path("", views.Outcomes.as_view(), name="envelope_outcomes"),
    path("export.csv", CsvExport.as_view(list_view=views.Outcomes), name="envelope_outcomes_csv"),
    path("ders.csv", views.OutcomesByDer.as_view(), name="envelope_outcomes_by_der"),
    path("<uuid:uuid>/", views.OutcomeDetail.as_view(), name="envelope_outcome"),
]
