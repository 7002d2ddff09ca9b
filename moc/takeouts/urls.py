"""Addresses of take-outs, below /takeouts/."""

from django.urls import path

from moc.takeouts import views

urlpatterns = [path("<slug:slug>/", views.Takeouts.as_view(), name="takeout_list")]
