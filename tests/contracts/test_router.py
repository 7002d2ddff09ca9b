"""The API is closed: every operation denies a stranger and changes nothing, and none but the catch-all stands outside the document."""

import re

import pytest
from django.conf import settings
from django.core.cache import cache
from django.urls import URLPattern
from django.utils.module_loading import import_string
from rest_framework.views import APIView

from moc.api import urlpatterns
from moc.rest.docs import METHODS, schema
from moc.rest.permissions import Nobody, SignedIn
from tests.contracts.scene import written

SAMPLES = {"uuid": "8e03978e-40d5-43dd-bc93-6894a57f9324", "int": "1", "slug": "some"}
UNDOCUMENTED = {"", "docs/", "schema/"}


def address(pattern: URLPattern) -> str:
    return "/api/v1/" + re.sub(r"<(\w+):\w+>", lambda found: SAMPLES[found[1]], str(pattern.pattern))


OPERATIONS = [(method, address(pattern)) for pattern in urlpatterns if str(pattern.pattern) not in {"", "docs/"} for method in METHODS]


@pytest.mark.django_db
def test_a_stranger_is_denied(api_of):
    """Every method at every address, in one test: a test each takes longer to set up than to ask."""
    stranger, before, given = api_of(None), written(), {}
    for method, url in OPERATIONS:
        cache.clear()  # or the rate limit answers
        answer = getattr(stranger, method)(url, {}, headers={"If-Match": "*"})
        given[method, url] = answer.status_code, answer["Content-Type"]
    assert {asked: answer for asked, answer in given.items() if answer != (401, "application/problem+json")} == {}
    assert given and written() == before


def test_every_view_says_who_may_call():
    views = [pattern.callback.cls for pattern in urlpatterns if hasattr(pattern.callback, "cls")]
    assert views
    assert {permission for view in views for permission in view.permission_classes} == {SignedIn}


def test_a_view_that_says_nothing_is_closed():
    assert APIView.permission_classes == [Nobody]
    assert [import_string(each) for each in settings.REST_FRAMEWORK["DEFAULT_PERMISSION_CLASSES"]] == [Nobody]


def test_every_address_is_in_the_document():
    documented = {re.sub(r"{[^}]*}", "{}", path) for path in schema()["paths"]}
    served = {
        "/api/v1/" + re.sub(r"<[^>]*>", "{}", str(pattern.pattern)) for pattern in urlpatterns if str(pattern.pattern) not in UNDOCUMENTED
    }
    assert served <= documented
