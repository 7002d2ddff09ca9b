"""Addresses below /machines/."""

from django.urls import path

from moc.machines import views

urlpatterns = [
    path("", views.Machines.as_view(), name="machines"),
    path("<slug:slug>/", views.MachineList.as_view(), name="machine_list"),
    path("<slug:slug>/new/", views.NewMachine.as_view(), name="machine_new"),
    path("<slug:slug>/<uuid:uuid>/", views.MachineDetail.as_view(), name="machine_detail"),
    path("<slug:slug>/<uuid:uuid>/secrets/new/", views.AddSecret.as_view(), name="machine_secret"),
    path("<slug:slug>/<uuid:uuid>/keys/new/", views.AddKey.as_view(), name="machine_key"),
    path("<slug:slug>/<uuid:uuid>/credentials/<uuid:credential>/revoke/", views.RevokeCredential.as_view(), name="machine_revoke"),
    path("<slug:slug>/<uuid:uuid>/tokens/revoke/", views.RevokeTokens.as_view(), name="machine_tokens"),
    path("<slug:slug>/<uuid:uuid>/end/", views.EndMachine.as_view(), name="machine_end"),
]
