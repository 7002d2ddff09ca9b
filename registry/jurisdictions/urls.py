"""Addresses of jurisdictions, sales and retail programs, below /registry/jurisdictions/."""

from django.urls import path

from registry.jurisdictions import views

urlpatterns = [
    path("", views.JurisdictionList.as_view(), name="jurisdiction_list"),
    path("programs/", views.ProgramList.as_view(), name="program_list"),
    path("sales/", views.SalesList.as_view(), name="sales_list"),
]
