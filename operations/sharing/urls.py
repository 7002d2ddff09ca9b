"""Addresses of envelope policies, below /operations/envelopes/policies/."""

from django.urls import path

from operations.sharing import views

urlpatterns = [
    path("", views.Policies.as_view(), name="envelope_policies"),
    path("new/", views.NewPolicy.as_view(), name="envelope_policy_new"),
    path("<int:pk>/", views.PolicyDetail.as_view(), name="envelope_policy"),
    path("<int:pk>/change/", views.ChangePolicy.as_view(), name="envelope_policy_change"),
]
