"""Addresses of a utility's administration, below /registry/administration/."""

from django.urls import include, path

from registry.administration.views import anonymising, base, contacts, letters, retention, rules

organization = [
    path("contacts/", contacts.Contacts.as_view(), name="admin_contacts"),
    path("contacts/new/", contacts.NewContact.as_view(), name="admin_contact_new"),
    path("contacts/<int:pk>/change/", contacts.ChangeContact.as_view(), name="admin_contact_change"),
    path("contacts/<int:pk>/remove/", contacts.RemoveContact.as_view(), name="admin_contact_remove"),
    path("contacts/<int:pk>/personal/", contacts.RevealContact.as_view(), name="admin_contact_personal"),
]
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
    path("anonymisation/", anonymising.Anonymisation.as_view(), name="anonymisation"),
    path("rules/", rules.EveryRule.as_view(), name="review_rules"),
    path("<slug:slug>/", include(organization + utility)),
]
