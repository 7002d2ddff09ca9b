"""Machine clients with secrets, keys and tokens, as their administrators and the token endpoint make them."""

import json
import uuid
from base64 import b64encode
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from time import time
from unittest.mock import patch
from urllib.parse import urlencode

from django.test import Client
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from rest_framework.test import APIClient

from moc.access import tokens
from moc.access.machines import MachineClient, MachineCredential, MachineToken, digest_of
from moc.access.models import User
from moc.access.roles import permissions_of
from moc.machines import services
from moc.machines.oauth import ASSERTION_TYPE, address
from tests.factories.world import World

TOKEN, REVOKE = "/oauth/token/", "/oauth/revoke/"
GRANT = {"grant_type": "client_credentials"}
KEYS = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "RS256": lambda: RSAKey.generate_key(2048),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}


@dataclass
class Program:
    """A client as the program that uses it knows it."""

    client: MachineClient
    secret: str
    key: Key | None = None
    algorithm: str = ""

    @property
    def id(self) -> str:
        return str(self.client.uuid)

    def ask(self, path: str = TOKEN, secret: str | None = None, **body):
        """A request with client_secret_basic."""
        pair = b64encode(f"{self.id}:{self.secret if secret is None else secret}".encode()).decode()
        return post(path, GRANT | body, HTTP_AUTHORIZATION=f"Basic {pair}")

    def token(self, **body) -> str:
        answer = self.ask(**body)
        assert answer.status_code == 200, answer.content
        return answer.json()["access_token"]

    def api(self, **body) -> APIClient:
        """An API client with a fresh token."""
        return api_with(self.token(**body))

    def assertion(self, key: Key | None = None, header: dict | None = None, **claims) -> str:
        now = int(time())
        said = {"iss": self.id, "sub": self.id, "aud": address("token"), "exp": now + 60, "jti": uuid.uuid4().hex} | claims
        header = {"alg": self.algorithm} | (header or {})
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(header, said, key or self.key, algorithms=[header["alg"]])

    def prove(self, assertion: str | None = None, **body):
        """A request with private_key_jwt."""
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion or self.assertion()}
        return post(TOKEN, GRANT | proof | body)


def post(path: str, body: dict | str, **headers):
    """A form to one of the endpoints, as a program sends it."""
    data = body if isinstance(body, str) else urlencode(body)
    return Client().post(path, data, content_type="application/x-www-form-urlencoded", **headers)


def api_with(token: str) -> APIClient:
    client = APIClient()
    client.default_format = "json"
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def program(world: World, organization: str, role: str, *scopes: str, name: str = "A program") -> Program:
    """A new client with a secret, made by the organisation's administrator; all scopes of its role unless some are given."""
    party = world.organizations[organization]
    client, secret = services.create_with(
        actor=world.user(organization, "administrator"),
        organization=party,
        name=name,
        role=role,
        scopes=scopes or permissions_of(party.kind, role),
    )
    return Program(client, secret)


def with_key(world: World, organization: str, role: str, algorithm: str) -> Program:
    """A new client with a key pair of an algorithm."""
    key, party = KEYS[algorithm](), world.organizations[organization]
    client, _ = services.create_with(
        actor=world.user(organization, "administrator"),
        organization=party,
        name="A program with a key",
        role=role,
        scopes=["view_registry"],
        public_key=json.dumps(key.as_dict(private=False)),
    )
    return Program(client, "", key, algorithm)


def unchecked(program: Program) -> AbstractContextManager:
    """Inside, calls with any token are the program's, and nothing is checked: its rights are resolved as a person's are."""
    user = User.objects.get(pk=program.client.user.pk)
    user.scopes = frozenset(program.client.scopes)
    return patch.object(tokens, "user_of", lambda secret: copy(user))


def token_for(user: User) -> str:
    """A token with all scopes of a machine's client, without the way over the endpoint. Runs inside acting()."""
    token, soon = MachineToken.fresh(), timezone.now() + timedelta(days=1)
    client = MachineClient.objects.get(membership__user=user)
    credential, _ = MachineCredential.objects.get_or_create(
        client=client, kind="secret", slot=1, defaults={"digest": digest_of(token), "hint": "tests", "expires_at": soon}
    )
    MachineToken.objects.create(client=client, credential=credential, digest=digest_of(token), scopes=client.scopes, expires_at=soon)
    return token
