"""Addresses below /support/."""

from django.urls import path

from moc.support import views

urlpatterns = [
    path("", views.SupportHome.as_view(), name="support"),
    path("new/", views.Grant.as_view(), name="support_grant"),
    path("leave/", views.Leave.as_view(), name="support_leave"),
    path("<uuid:uuid>/", views.GrantDetail.as_view(), name="support_detail"),
    path("<uuid:uuid>/revoke/", views.Revoke.as_view(), name="support_revoke"),
    path("<uuid:uuid>/enter/", views.Enter.as_view(), name="support_enter"),
]
