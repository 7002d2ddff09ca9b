"""Signing in and tokens (figures, section 6): what they cost beside the work that is asked for.

Ratios of medians, measured alternately in one process: the check of a token that the process knows against the same call by the same
user without a check, which resolves the same rights; the same call is a page of the API's DERs.
"""

from collections.abc import Callable
from statistics import median
from time import perf_counter

import pytest
from django.conf import global_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from moc.access import tokens
from moc.access.models import ApiToken
from moc.history import acting
from tests.factories.ders import register
from tests.factories.machines import program, unchecked, with_key
from tests.factories.world import PASSWORD

pytestmark = [pytest.mark.scale, pytest.mark.django_db]
DERS, PAGE = "/api/v1/registry/ders/", "/registry/ders/"
ROUNDS, ROWS = 30, 200


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
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # signing in costs what it costs, not the tests' cheap digest
    with acting(None, "system: bench"):
        viewer = world.user("edc", "viewer")
        viewer.set_password(PASSWORD)
        viewer.save()
    calls = _calls(world, viewer)
    counted = {name: queries(each) for name, each in calls.items()}
    counted = {name: queries(each) for name, each in calls.items()}  # the second time everything is known that can be
    found = milliseconds(calls)
    _print(found, counted)
    assert counted["call, known token"] - counted["call, no check"] == 0


def _calls(world, viewer) -> dict[str, Callable]:
    """What is measured, by name."""
    own, signed = program(world, "edc", "viewer"), with_key(world, "edc", "viewer", "ES256")
    machine, free = own.api(), unchecked(own)
    person = APIClient()
    person.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiToken.issue(viewer, 'bench')[1]}")
    signed_in = Client()
    signed_in.force_login(viewer)

    def sign_in():
        client = Client()
        assert client.post("/accounts/login/", {"login": "viewer@edc.example.org", "password": PASSWORD}).status_code == 302
        assert client.get(PAGE).status_code == 200

    def call(client) -> None:
        assert len(client.get(DERS).json()["results"]) == 50

    def no_check() -> None:
        with free:
            call(machine)

    def unknown() -> None:
        tokens._known.clear()
        call(machine)

    return {
        "call, no check": no_check,
        "call, known token": lambda: call(machine),
        "call, token read": unknown,
        "call, person's token": lambda: call(person),
        "call, refused (401)": lambda: APIClient().get(DERS),
        "token by secret": own.token,
        "token by assertion": lambda: signed.prove().json()["access_token"],
        "page, signed in": lambda: signed_in.get(PAGE),
        "sign-in to first page": sign_in,
    }


def _print(found: dict[str, float], counted: dict[str, int]) -> None:
    base, page = found["call, no check"], found["page, signed in"]
    print(f"\n\n{'':<26}{'ms':>8}{'queries':>9}{'ratio':>8}")
    for name, taken in found.items():
        against = page if name.startswith(("page", "sign-in")) else base
        print(f"{name:<26}{taken:8.2f}{counted[name]:9}{taken / against:8.2f}")
    print("ratio: to the call without a check; of sign-in to the same page when signed in")
