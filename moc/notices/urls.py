"""Addresses of the inbox, below /notices/."""

from django.urls import path

from moc.notices import views

urlpatterns = [
    path("", views.NoticeList.as_view(), name="notice_list"),
    path("read/", views.ReadAll.as_view(), name="notice_read_all"),
    path("preferences/", views.Preferences.as_view(), name="notice_preferences"),
    path("<uuid:uuid>/", views.NoticeDetail.as_view(), name="notice_detail"),
]
