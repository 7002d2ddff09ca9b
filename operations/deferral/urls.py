"""Addresses of transformer alarms, below /operations/transformers/."""

from django.urls import path

from operations.deferral import views

urlpatterns = [
    path("", views.Alarms.as_view(), name="transformer_alarms"),
    path("<uuid:uuid>/", views.AlarmDetail.as_view(), name="transformer_alarm"),
    path("<uuid:uuid>/benefit/", views.BenefitReport.as_view(), name="transformer_benefit"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.AlarmTransition.as_view(), name="transformer_alarm_transition"),
]
