"""Addresses of contacts, below /registry/contacts/."""

from django.urls import path

from registry.participants import views

urlpatterns = [
    path("", views.ContactList.as_view(), name="contact_list"),
    path("<int:pk>/", views.ContactDetail.as_view(), name="contact_detail"),
    path("<int:pk>/personal/", views.ContactInFull.as_view(), name="contact_personal"),
]
