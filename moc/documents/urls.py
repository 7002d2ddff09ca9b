"""Addresses of documents, below /documents/."""

from django.urls import path

from moc.documents import views

urlpatterns = [path("<uuid:uuid>/", views.Download.as_view(), name="document")]
