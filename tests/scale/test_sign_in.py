"""From an address and a password to the first page, and with the codes of an app: what a person waits for in the morning.

Passwords are hashed as in production; most of the time is theirs, and meant to be.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from time import perf_counter

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import global_settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from moc.access.models import User
from moc.history import acting
from tests.factories.presence import code_of
from tests.scale.figures import verdict
from tests.scale.sites import Site
from tests.scale.state import REASON

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
WHO, PASSWORD, TIMES = "regulator", "a long passphrase of the bench", 10
QUERIES = {"password": 12, "code": 43, "first page": 31}
CEILING = 1.5  # the first page counts what waits, so a large registry may cost a little more


@pytest.fixture(autouse=True)
def _as_in_production(settings) -> None:
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    settings.ACCOUNT_RATE_LIMITS = False
    settings.MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION = False


def test_sign_in_to_first_page(small_and_large):
    """Issue 3's figure: printed; the large registry may not make it slower."""
    medians = []
    for site in small_and_large:
        with site.entered():
            medians.append(_measured(*_prepared(site)))
    small, large = medians
    print(f"\n\nSign-in to first page, a regulator's auditor with an app's codes, p50 of {TIMES}")
    print(f"  {'ms':<44} {small_and_large[0].rows:>11,} {small_and_large[1].rows:>11,} {'queries':>8}")
    for step, queries in QUERIES.items():
        print(f"  {step:<44} {small[step]:11.1f} {large[step]:11.1f} {queries:8}")
    wholes = [sum(each.values()) for each in medians]
    print(f"  {'whole':<44} {wholes[0]:11.1f} {wholes[1]:11.1f} {sum(QUERIES.values()):8}")
    print(verdict("sign-in to first page", wholes[1] / wholes[0], ceiling=CEILING))


def _prepared(site: Site) -> tuple[str, str]:
    """Give the user a real password and an app; returns address and the app's key."""
    user, secret = User.objects.get(pk=site.users[WHO].pk), generate_totp_secret()
    with acting(None, REASON):
        user.set_password(PASSWORD)
        user.save()
    TOTP.activate(user, secret)
    return user.email, secret


def _measured(email: str, secret: str) -> dict[str, float]:
    """Milliseconds by step; the first turn warms up, and is counted in neither queries nor time."""
    took: dict[str, list[float]] = defaultdict(list)
    for turn in range(TIMES + 1):
        cache.clear()  # in which a code counts as used
        client = Client()
        for step, ask in _steps(client, email, secret):
            with CaptureQueriesContext(connection) as captured:
                started = perf_counter()
                answer = ask()
                seconds = perf_counter() - started
            assert answer.status_code == (200 if step == "first page" else 302), step
            if turn:
                assert len(captured) == QUERIES[step], (step, len(captured), [query["sql"][:150] for query in captured])
                took[step].append(seconds * 1000)
        client.post(reverse("account_logout"))
    return {step: statistics.median(times) for step, times in took.items()}


def _steps(client: Client, email: str, secret: str) -> Iterator[tuple[str, object]]:
    """The requests of one sign-in, each to be made when it is its turn."""
    yield "password", lambda: client.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    yield "code", lambda: client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    yield "first page", lambda: client.get(reverse("home"))
