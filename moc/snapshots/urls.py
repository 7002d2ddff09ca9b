"""Addresses of snapshots, below /snapshots/."""

from django.urls import path

from moc.snapshots import views

urlpatterns = [path("", views.Snapshots.as_view(), name="snapshot_list")]
