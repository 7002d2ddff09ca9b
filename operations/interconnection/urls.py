"""Addresses of interconnection studies, below /operations/interconnection/."""

from django.urls import path

from operations.interconnection import views

urlpatterns = [
    path("", views.Studies.as_view(), name="interconnections"),
    path("new/", views.NewStudy.as_view(), name="interconnection_new"),
    path("settings/", views.Readbacks.as_view(), name="settings_readbacks"),
    path("settings/new/", views.NewReadback.as_view(), name="settings_readback_new"),
    path("settings/<int:pk>/", views.ReadbackDetail.as_view(), name="settings_readback"),
    path("<uuid:uuid>/", views.StudyDetail.as_view(), name="interconnection"),
    path("<uuid:uuid>/adopt/", views.AdoptStudy.as_view(), name="interconnection_adopt"),
]
