"""Addresses of responses to outages, below /operations/responses/."""

from django.urls import path

from operations.responses import views

urlpatterns = [
    path("", views.Responses.as_view(), name="outage_responses"),
    path("to/<uuid:uuid>/", views.Answer.as_view(), name="outage_answer"),
    path("<uuid:uuid>/", views.ResponseDetail.as_view(), name="outage_response"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.ResponseTransition.as_view(), name="outage_response_transition"),
]
