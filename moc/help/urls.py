"""The help pages' addresses."""

from django.urls import path

from moc.help import views

urlpatterns = [
    path("", views.Index.as_view(), name="help"),
    path("data-dictionary/", views.Dictionary.as_view(), name="help_dictionary"),
    path("rules/", views.Rules.as_view(), name="help_rules"),
    path("lifecycles/", views.Lifecycles.as_view(), name="help_lifecycles"),
    path("machines/", views.Machines.as_view(), name="help_machines"),
    path("sign-in/", views.SignIn.as_view(), name="help_sign_in"),
    path("data-governance/", views.Governance.as_view(), name="help_governance"),
    path("roles/", views.Roles.as_view(), name="help_roles"),
]
