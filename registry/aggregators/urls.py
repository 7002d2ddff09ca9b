"""Addresses of aggregators' registrations, below /registry/aggregators/."""

from django.urls import path

from registry.aggregators import views

urlpatterns = [
    path("", views.RegistrationList.as_view(), name="aggregator_list"),
    path("new/", views.NewRegistration.as_view(), name="aggregator_new"),
    path("suspensions/", views.SuspensionList.as_view(), name="suspension_list"),
    path("suspensions/new/", views.NewSuspension.as_view(), name="suspension_new"),
    path("suspensions/<uuid:uuid>/", views.SuspensionDetail.as_view(), name="suspension_detail"),
    path("suspensions/<uuid:uuid>/letter.pdf", views.SuspensionLetter.as_view(), name="suspension_letter"),
    path("suspensions/<uuid:uuid>/transitions/<slug:name>/", views.SuspensionTransition.as_view(), name="suspension_transition"),
    path("<uuid:uuid>/", views.RegistrationDetail.as_view(), name="aggregator_detail"),
    path("<uuid:uuid>/change/", views.ChangeRegistration.as_view(), name="aggregator_change"),
    path("<uuid:uuid>/agreement/", views.Sign.as_view(), name="aggregator_sign"),
    path("<uuid:uuid>/agreement.pdf", views.AgreementLetter.as_view(), name="aggregator_agreement_letter"),
    path("<uuid:uuid>/personal/", views.RevealRegistration.as_view(), name="aggregator_personal"),
    path("<uuid:uuid>/transitions/<slug:name>/", views.RegistrationTransition.as_view(), name="aggregator_transition"),
    path("<uuid:uuid>/<slug:kind>/new/", views.AddPart.as_view(), name="aggregator_part_new"),
    path("<uuid:uuid>/<slug:kind>/<int:part>/end/", views.EndPart.as_view(), name="aggregator_part_end"),
]
