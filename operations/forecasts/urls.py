"""Addresses of forecasts, below /operations/forecasts/."""

from django.urls import path

from operations.forecasts import views

urlpatterns = [
    path("", views.Forecasts.as_view(), name="forecasts"),
    path("load/", views.LoadMeterData.as_view(), name="meter_data"),
    path("<int:pk>/", views.ForecastDetail.as_view(), name="forecast"),
]
