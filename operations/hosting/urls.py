"""Addresses of hosting capacity, below /operations/hosting/."""

from django.urls import path

from moc.exports import CsvExport
from operations.hosting import views

urlpatterns = [
    path("", views.Maps.as_view(), name="hosting_maps"),
    path("new/", views.NewMap.as_view(), name="hosting_new"),
    path("<uuid:uuid>/", views.MapDetail.as_view(), name="hosting_map"),
    path("<uuid:uuid>/nodes/", views.Nodes.as_view(), name="hosting_nodes"),
    path("<uuid:uuid>/nodes/export.csv", CsvExport.as_view(list_view=views.Nodes), name="hosting_csv"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.MapTransition.as_view(), name="hosting_transition"),
]
