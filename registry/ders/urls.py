"""Addresses of DERs, below /registry/ders/."""

from django.urls import path

from moc.exports import CsvExport, XlsxExport
from registry.ders import views

urlpatterns = [
    path("", views.DerList.as_view(), name="der_list"),
    path("tenure/", views.ChangeTenure.as_view(), name="der_tenure"),
    path("export.csv", CsvExport.as_view(list_view=views.DerList), name="der_csv"),
    path("export.xlsx", XlsxExport.as_view(list_view=views.DerList), name="der_xlsx"),
    path("<uuid:uuid>/", views.DerDetail.as_view(), name="der_detail"),
    path("<uuid:uuid>/owner/", views.RevealOwner.as_view(), name="der_owner"),
    path("<uuid:uuid>/certificate.pdf", views.Certificate.as_view(), name="der_certificate"),
]
