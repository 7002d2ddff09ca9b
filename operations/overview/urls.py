"""Addresses of the five questions, below /operations/feeders/."""

from django.urls import path

from operations.overview import views

urlpatterns = [
    path("", views.Overviews.as_view(), name="overviews"),
    path("<int:pk>/", views.FeederOverview.as_view(), name="overview"),
    path("of/<slug:slug>/", views.UtilityOverview.as_view(), name="overview_utility"),
]
