"""A program as it is outside (N2): HTTP to a running server, by secret and by key, from its description to the list of DERs."""

import json

import pytest
import requests
from django.core.cache import cache

from moc.machines.oauth import ASSERTION_TYPE
from tests.factories.ders import register
from tests.factories.machines import program, with_key
from tests.factories.world import build

pytestmark = pytest.mark.django_db(transaction=True)
SOON = 20


def test_a_program_finds_the_server_gets_tokens_and_reads(live_server, settings):
    settings.MOC_PUBLIC_URL = live_server.url
    world = build()
    register(world, 3)
    own, signed = program(world, "edc", "viewer"), with_key(world, "edc", "viewer", "EdDSA")
    cache.clear()
    server = requests.get(f"{live_server.url}/.well-known/oauth-authorization-server", timeout=SOON).json()
    assert server["issuer"] == live_server.url and "private_key_jwt" in server["token_endpoint_auth_methods_supported"]
    asked = {"grant_type": server["grant_types_supported"][0], "scope": "view_registry"}
    by_secret = requests.post(server["token_endpoint"], asked, auth=(own.id, own.secret), timeout=SOON)
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed.assertion(aud=server["token_endpoint"])}
    by_key = requests.post(server["token_endpoint"], asked | proof, timeout=SOON)
    replayed = requests.post(server["token_endpoint"], asked | proof, timeout=SOON)
    assert (by_secret.status_code, by_key.status_code, replayed.status_code) == (200, 200, 401)
    for answer in (by_secret, by_key):
        token = answer.json()["access_token"]
        header = {"Authorization": f"Bearer {token}"}
        assert len(requests.get(f"{live_server.url}/api/v1/registry/ders/", headers=header, timeout=SOON).json()["results"]) == 3
    ended = requests.post(
        server["revocation_endpoint"], {"token": by_secret.json()["access_token"]}, auth=(own.id, own.secret), timeout=SOON
    )
    header = {"Authorization": f"Bearer {by_secret.json()['access_token']}"}
    refused = requests.get(f"{live_server.url}/api/v1/registry/ders/", headers=header, timeout=SOON)
    assert (ended.status_code, refused.status_code, json.loads(refused.text)["code"]) == (200, 401, "NOT-AUTHENTICATED")
