"""Addresses of T-D coordination, below /operations/interfaces/."""

from django.urls import path

from moc.exports import CsvExport
from operations.coordination import views

urlpatterns = [
    path("", views.Interfaces.as_view(), name="interfaces"),
    path("deliverability/", views.Runs.as_view(), name="deliverability_runs"),
    path("deliverability/new/", views.NewRun.as_view(), name="deliverability_new"),
    path("deliverability/<uuid:uuid>/", views.RunDetail.as_view(), name="deliverability_run"),
    path("lines/", views.LineEvents.as_view(), name="line_events"),
    path("lines/new/", views.NewLineEvent.as_view(), name="line_event_new"),
    path("lines/<uuid:uuid>/", views.LineEventDetail.as_view(), name="line_event"),
    path("lines/<uuid:uuid>/times/", views.LineEventTimes.as_view(), name="line_event_times"),
    path("lines/<uuid:uuid>/transitions/<slug:name>/", views.LineEventTransition.as_view(), name="line_event_transition"),
    path("<int:pk>/", views.InterfaceDetail.as_view(), name="interface"),
    path("<int:pk>/stream/", views.InterfaceStream.as_view(), name="interface_stream"),
    path("<int:pk>/history/", views.History.as_view(), name="interface_history"),
    path("<int:pk>/history/export.csv", CsvExport.as_view(list_view=views.History), name="interface_history_csv"),
    path("<int:pk>/limit/", views.SetLimit.as_view(), name="interface_limit"),
]
