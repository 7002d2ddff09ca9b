"""Addresses of the access log, below /access-log/."""

from django.urls import path

from moc.accesslog import views
from moc.exports import CsvExport

urlpatterns = [
    path("", views.AccessList.as_view(), name="access_log"),
    path("export.csv", CsvExport.as_view(list_view=views.AccessList), name="access_log_csv"),
    path("exports/", views.ExportList.as_view(), name="access_log_exports"),
    path("exports/export.csv", CsvExport.as_view(list_view=views.ExportList), name="access_log_exports_csv"),
]
