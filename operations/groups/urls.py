"""Addresses of envelopes of groups, below /operations/envelopes/groups/."""

from django.urls import path

from operations.groups import views

urlpatterns = [
    path("<slug:kind>/<str:key>/", views.GroupEnvelope.as_view(), name="envelope_group"),
    path("<slug:kind>/<str:key>/export.csv", views.GroupCsv.as_view(), name="envelope_group_csv"),
]
