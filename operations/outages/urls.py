"""Addresses of outages, grid events and the operational log, below /operations/outages/."""

from django.urls import path

from moc.exports import CsvExport
from operations.outages import views

urlpatterns = [
    path("", views.Outages.as_view(), name="outages"),
    path("new/", views.NewOutage.as_view(), name="outage_new"),
    path("file/", views.OutageFile.as_view(), name="outage_file"),
    path("events/", views.Events.as_view(), name="grid_events"),
    path("events/new/", views.NewEvent.as_view(), name="grid_event_new"),
    path("events/<uuid:uuid>/", views.EventDetail.as_view(), name="grid_event"),
    path("events/<uuid:uuid>/times/", views.GridEventTimes.as_view(), name="grid_event_times"),
    path("events/<uuid:uuid>/transitions/<slug:name>/", views.GridEventTransition.as_view(), name="grid_event_transition"),
    path("log/", views.Log.as_view(), name="log"),
    path("log/export.csv", CsvExport.as_view(list_view=views.Log), name="log_csv"),
    path("<uuid:uuid>/", views.OutageDetail.as_view(), name="outage"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.OutageTransition.as_view(), name="outage_transition"),
]
