"""Addresses of reliability findings, below /operations/reliability/."""

from django.urls import path

from moc.exports import CsvExport
from operations.reliability import views

urlpatterns = [
    path("", views.Findings.as_view(), name="reliability_findings"),
    path("export.csv", CsvExport.as_view(list_view=views.Findings), name="reliability_csv"),
    path("<uuid:uuid>/", views.FindingDetail.as_view(), name="reliability_finding"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.FindingTransition.as_view(), name="reliability_transition"),
]
