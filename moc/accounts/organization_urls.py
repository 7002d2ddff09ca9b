"""Addresses below /organization/."""

from django.urls import path

from moc.accounts import members, organization

urlpatterns = [
    path("admissions/", organization.AdmissionList.as_view(), name="admission_list"),
    path("admissions/<uuid:uuid>/", organization.AdmissionDetail.as_view(), name="admission_detail"),
    path("admissions/<uuid:uuid>/transitions/<slug:name>/", organization.AdmissionTransition.as_view(), name="admission_transition"),
    path("admissions/<uuid:uuid>/letter.pdf", organization.AdmissionLetter.as_view(), name="admission_letter"),
    path("administrators/", members.Grants.as_view(), name="grants"),
    path("administrators/<uuid:uuid>/confirm/", members.ConfirmGrant.as_view(), name="grant_confirm"),
    path("administrators/<uuid:uuid>/reject/", members.RejectGrant.as_view(), name="grant_reject"),
    path("<slug:slug>/sign-in/", organization.Provider.as_view(), name="provider"),
    path("<slug:slug>/sign-in/change/", organization.ChangeProvider.as_view(), name="provider_change"),
    path("<slug:slug>/sign-in/domains/new/", organization.AddDomain.as_view(), name="domain_add"),
    path("<slug:slug>/sign-in/domains/<uuid:uuid>/prove/", organization.ProveDomain.as_view(), name="domain_prove"),
    path("<slug:slug>/sign-in/domains/<uuid:uuid>/remove/", organization.RemoveDomain.as_view(), name="domain_remove"),
]
