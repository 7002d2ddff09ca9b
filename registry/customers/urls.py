"""Addresses of owners, below /registry/owners/."""

from django.urls import path

from registry.customers import views

urlpatterns = [
    path("", views.MyDers.as_view(), name="my"),
    path("welcome/<str:key>/", views.Welcome.as_view(), name="owner_welcome"),
    path("consents/", views.ConsentList.as_view(), name="consent_list"),
    path("consents/new/", views.NewConsent.as_view(), name="my_consent"),
    path("consents/<uuid:uuid>/", views.ConsentDetail.as_view(), name="consent_detail"),
    path("consents/<uuid:uuid>/transitions/<slug:name>/", views.ConsentTransition.as_view(), name="consent_transition"),
    path("consents/<uuid:uuid>/revoke/", views.RevokeConsent.as_view(), name="my_consent_revoke"),
    path("ders/<uuid:uuid>/use/", views.StateUse.as_view(), name="my_use"),
    path("use/<uuid:uuid>/end/", views.EndUse.as_view(), name="my_use_end"),
    path("ders/<uuid:uuid>/invite/", views.InviteOwner.as_view(), name="owner_invite"),
    path("ders/<uuid:uuid>/consent/", views.ShowConsent.as_view(), name="consent_show"),
]
