"""Addresses of rosters, below /registry/rosters/."""

from django.urls import path

from registry.rosters import views

urlpatterns = [
    path("", views.Findings.as_view(), name="roster_findings"),
    path("lists/", views.RosterList.as_view(), name="roster_list"),
    path("new/", views.NewRoster.as_view(), name="roster_new"),
]
