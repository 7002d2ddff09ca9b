"""Addresses of reports, below /reports/."""

from django.urls import path

from moc.reports import views

urlpatterns = [
    path("", views.ReportList.as_view(), name="report_list"),
    path("ready-made/", views.Catalogue.as_view(), name="report_ready_list"),
    path("ready-made/<slug:code>/", views.ReadyReport.as_view(), name="report_ready"),
    path("new/", views.Datasets.as_view(), name="report_new"),
    path("new/<slug:code>/", views.Build.as_view(), name="report_build"),
    path("runs/", views.RunList.as_view(), name="report_run_list"),
    path("runs/<uuid:uuid>/", views.RunDetail.as_view(), name="report_run"),
    path("<uuid:uuid>/", views.ReportDetail.as_view(), name="report_detail"),
    path("<uuid:uuid>/change/", views.ChangeReport.as_view(), name="report_change"),
    path("<uuid:uuid>/run/", views.RunReport.as_view(), name="report_run_now"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.MoveReport.as_view(), name="report_transition"),
]
