"""Addresses of documents, below /documents/."""

from django.urls import path

from moc.documents import views

urlpatterns = [
    path("<uuid:uuid>/", views.Download.as_view(), name="document"),
    path("<uuid:uuid>/versions/", views.Versions.as_view(), name="document_versions"),
    path("<uuid:uuid>/versions/new/", views.NewVersion.as_view(), name="document_version_new"),
]
