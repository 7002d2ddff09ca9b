"""Addresses of envelopes, below /operations/envelopes/."""

from django.urls import path

from operations.envelopes import views

urlpatterns = [
    path("", views.Points.as_view(), name="envelopes"),
    path("export.csv", views.PointsCsv.as_view(), name="envelopes_csv"),
    path("<int:pk>/", views.PointDetail.as_view(), name="envelope"),
    path("runs/", views.Runs.as_view(), name="envelope_runs"),
    path("runs/new/", views.NewRun.as_view(), name="envelope_run_new"),
    path("runs/<uuid:uuid>/", views.RunDetail.as_view(), name="envelope_run"),
    path("runs/<uuid:uuid>/edit/", views.EditRun.as_view(), name="envelope_run_edit"),
    path("runs/<uuid:uuid>/transitions/<slug:name>/", views.RunTransition.as_view(), name="envelope_run_transition"),
    path("receipts/", views.Receipts.as_view(), name="envelope_receipts"),
    path("receipts/<uuid:uuid>/", views.ReceiptDetail.as_view(), name="envelope_receipt"),
    path("receipts/<uuid:uuid>/transitions/<slug:name>/", views.ReceiptTransition.as_view(), name="envelope_receipt_transition"),
]
