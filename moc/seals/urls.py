"""Addresses of seals, below /seals/: what was signed is open to everybody."""

from django.urls import path

from moc.seals import views

urlpatterns = [
    path("", views.Seals.as_view(), name="seal_list"),
    path("seals.ndjson", views.SealsFile.as_view(), name="seals_file"),
    path("check_proof.py", views.Checker.as_view(), name="seal_checker"),
    path("new/", views.SealNow.as_view(), name="seal_now"),
    path("verify/", views.VerifyNow.as_view(), name="seal_verify"),
    path("verifications/", views.Verifications.as_view(), name="verification_list"),
    path("verifications/<uuid:uuid>/", views.OneVerification.as_view(), name="verification"),
    path("proofs/<slug:table>/<int:row>/", views.Proof.as_view(), name="seal_proof"),
    path("<int:number>/", views.OneSeal.as_view(), name="seal"),
    path("<int:number>/seal.json", views.SealFile.as_view(), name="seal_file"),
]
