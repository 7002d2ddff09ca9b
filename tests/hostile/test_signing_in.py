"""At the way in: redirects to elsewhere, hosts that are not ours, and answers or costs that tell who has an account (N2)."""

import re

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import reverse

ELSEWHERE = "https://elsewhere.example/"


@pytest.mark.parametrize(
    "target", [ELSEWHERE, "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "https:elsewhere.example"]
)
def test_signing_in_leads_nowhere_else(world, target):
    user = world.user("aggregator", "viewer")
    user.set_password("a-long-passphrase-1")
    user.save(update_fields=["password"])
    body = {"login": user.email, "password": "a-long-passphrase-1", "next": target}
    response = Client().post(reverse("account_login"), body)
    assert response.status_code == 302 and re.match(r"/(?![/\\])", response["Location"])


def test_a_host_that_is_not_ours_is_refused():
    assert Client().get("/accounts/login/", headers={"host": "elsewhere.example"}).status_code == 400
    answer = Client().get("/accounts/login/", headers={"x-forwarded-host": "elsewhere.example", "forwarded": "host=elsewhere.example"})
    assert answer.status_code == 200 and b"elsewhere.example" not in answer.content


def test_a_wrong_password_and_an_unknown_address_cost_the_same(world, monkeypatch, settings):
    """One hash each, and the same answer."""
    settings.ACCOUNT_RATE_LIMITS = False
    hashed, encode = [], MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *args, **kwargs: hashed.append(1) or encode(*args, **kwargs))
    user = world.user("aggregator", "viewer")
    user.set_password("a-long-passphrase-1")
    user.save(update_fields=["password"])
    costs, texts = [], []
    for address_given in (user.email, "nobody@elsewhere.example"):
        hashed.clear()
        response = Client().post(reverse("account_login"), {"login": address_given, "password": "wrong"})
        costs.append(len(hashed))
        texts.append(re.findall(r'id="error-summary-title">.*?</div>', response.content.decode(), re.DOTALL))
    assert costs[0] == costs[1] > 0 and texts[0] == texts[1] != []


def test_a_forgotten_password_tells_nothing(world, settings):
    settings.ACCOUNT_RATE_LIMITS = False
    answers = [
        Client().post(reverse("account_reset_password"), {"email": email}) for email in (world.nobody.email, "none@elsewhere.example")
    ]
    assert answers[0].status_code == answers[1].status_code == 302 and answers[0]["Location"] == answers[1]["Location"]
