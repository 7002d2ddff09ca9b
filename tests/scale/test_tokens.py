"""Signing in and tokens (figures, section 6): what they cost beside the work that is asked for.

Ratios of medians, measured alternately in one process: the check of a token that the process knows against the same call by the same
user without a check, which resolves the same rights; the same call is a page of the API's DERs.
"""

from collections.abc import Callable
from statistics import median
from time import perf_counter

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from moc.access import tokens
from moc.access.models import ApiToken
from tests.factories.ders import register
from tests.factories.machines import program, with_key
from tests.factories.world import PASSWORD

pytestmark = [pytest.mark.scale, pytest.mark.django_db]
DERS, PAGE = "/api/v1/registry/ders/", "/registry/ders/"
ROUNDS, ROWS = 30, 200


def without_check(user) -> APIClient:
    """The same call by the same user: rights are resolved, nothing is checked."""
    for name in ("_moc_rights", "_moc_kinds", "_moc_operates"):
        user.__dict__.pop(name, None)
    client = APIClient()
    client.force_authenticate(user)
    return client


def milliseconds(calls: dict[str, Callable]) -> dict[str, float]:
    """Median of each call, taken in turns."""
    taken = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            started = perf_counter()
            call()
            taken[name].append(1000 * (perf_counter() - started))
    return {name: median(times) for name, times in taken.items()}


def queries(call: Callable) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def test_what_identity_costs(world, settings):
    settings.ACCOUNT_RATE_LIMITS, settings.MOC_TOKENS_PER_MINUTE, settings.MOC_API_PER_MINUTE = False, 10**6, 10**6
    register(world, ROWS)
    own, signed = program(world, "edc", "viewer"), with_key(world, "edc", "viewer", "ES256")
    secret = own.token()
    machine, user = own.api(), tokens.user_of(secret)
    person = APIClient()
    person.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiToken.issue(world.user('edc', 'viewer'), 'bench')[1]}")
    signed_in = Client()
    signed_in.force_login(world.user("edc", "viewer"))

    def sign_in():
        client = Client()
        assert client.post("/accounts/login/", {"login": "viewer@edc.example.org", "password": PASSWORD}).status_code == 302
        assert client.get(PAGE).status_code == 200

    def call(client) -> None:
        assert len(client.get(DERS).json()["results"]) == 50

    def unknown() -> None:
        tokens._known.clear()
        call(machine)

    calls = {
        "call, no check": lambda: call(without_check(user)),
        "call, known token": lambda: call(machine),
        "call, token read": unknown,
        "call, person's token": lambda: call(person),
        "call, refused (401)": lambda: APIClient().get(DERS),
        "token by secret": own.token,
        "token by assertion": lambda: signed.prove().json()["access_token"],
        "page, signed in": lambda: signed_in.get(PAGE),
        "sign-in to first page": sign_in,
    }
    counted = {name: queries(each) for name, each in calls.items()}
    counted = {name: queries(each) for name, each in calls.items()}  # the second time everything is known that can be
    found = milliseconds(calls)
    _print(found, counted)
    assert counted["call, known token"] - counted["call, no check"] == 0


def _print(found: dict[str, float], counted: dict[str, int]) -> None:
    base, page = found["call, no check"], found["page, signed in"]
    print(f"\n\n{'':<26}{'ms':>8}{'queries':>9}{'ratio':>8}")
    for name, taken in found.items():
        against = page if name.startswith(("page", "sign-in")) else base
        print(f"{name:<26}{taken:8.2f}{counted[name]:9}{taken / against:8.2f}")
    print("ratio: to the call without a check; of sign-in to the same page when signed in")
