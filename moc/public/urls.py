"""Addresses of public pages, below /public/."""

from django.urls import path

from moc.public import views

urlpatterns = [
    path("", views.Dashboard.as_view(), name="public"),
    path("aggregators/", views.Aggregators.as_view(), name="public_aggregators"),
    path("rules/", views.Rules.as_view(), name="public_rules"),
    path("data/", views.OpenData.as_view(), name="public_data"),
    path("data/<slug:name>.csv", views.OpenFile.as_view(), name="public_file"),
]
