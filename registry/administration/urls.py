"""Addresses of a utility's administration, below /registry/administration/."""

from django.urls import include, path

from registry.administration.views import base, letters, retention, rules

utility = [
    path("rules/", rules.Rules.as_view(), name="admin_rules"),
    path("rules/new/", rules.NewRule.as_view(), name="admin_rule_new"),
    path("rules/<uuid:uuid>/change/", rules.ChangeRule.as_view(), name="admin_rule_change"),
    path("rules/<uuid:uuid>/end/", rules.EndRule.as_view(), name="admin_rule_end"),
    path("practice/", rules.Practice.as_view(), name="admin_practice"),
    path("letters/", letters.Letters.as_view(), name="admin_letters"),
    path("letters/<slug:kind>/", letters.NewLetter.as_view(), name="admin_letter_new"),
    path("letters/<slug:kind>/<int:version>.pdf", letters.LetterExample.as_view(), name="admin_letter"),
    path("retention/", retention.Retention.as_view(), name="admin_retention"),
    path("retention/<slug:data_class>/", retention.SetRetention.as_view(), name="admin_retention_set"),
]

urlpatterns = [
    path("", base.Hub.as_view(), name="administration"),
    path("rules/", rules.EveryRule.as_view(), name="review_rules"),
    path("<slug:slug>/", include(utility)),
]
