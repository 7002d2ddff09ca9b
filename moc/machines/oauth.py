"""The authorization server for machine clients, on Authlib: client credentials (RFC 6749), signed assertions (RFC 7523), revocation (7009).

An answer about a client that has not proved itself says nothing of whether it exists.
"""

import json
import uuid
from datetime import timedelta
from time import time

from authlib.integrations.django_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import (
    ClientCredentialsGrant,
    ClientMixin,
    InvalidClientError,
    InvalidScopeError,
    OAuth2Payload,
    TokenMixin,
)
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from moc.access.machines import MachineClient, MachineCredential, MachineToken, UsedAssertion, digest_of
from moc.access.roles import PERMISSIONS, permissions_of

METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LEEWAY_SECONDS, LONGEST_ASSERTION_SECONDS = 30, 600
UNKNOWN = "The client is unknown, or what it proves itself by is not valid."


def issuer() -> str:
    return settings.MOC_PUBLIC_URL


def address(path: str) -> str:
    """The public address of an endpoint."""
    return f"{issuer()}/oauth/{path}/"


class Caller(ClientMixin):
    """A client as Authlib asks about it; `proven_by` is the credential that it showed."""

    def __init__(self, client: MachineClient):
        self.client, self.proven_by = client, None
        seat = client.membership
        self.scopes = frozenset(client.scopes) & permissions_of(seat.organization.kind, seat.role)

    def get_client_id(self) -> str:
        return str(self.client.uuid)

    def check_client_secret(self, client_secret: str) -> bool:
        usable = self.client.credentials.usable().filter(kind=MachineCredential.Kind.SECRET)
        self.proven_by = usable.filter(digest=digest_of(client_secret)).first()
        return self.proven_by is not None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == ClientCredentialsGrant.GRANT_TYPE

    def get_allowed_scope(self, scope: str | None) -> str:
        """What was asked for, or all that the client has."""
        return " ".join(sorted(self.scopes & set(scope.split()) if scope else self.scopes))


class Form(OAuth2Payload):
    """The body of a request. Nothing is read from the address, where secrets end in logs."""

    def __init__(self, data: dict):
        self._data = data

    @property
    def data(self) -> dict:
        return self._data


class Asked(OAuth2Request):
    """A request to the server. Whether it came over TLS is settled before it arrives here (settings of production, proxy)."""

    def __init__(self, request):
        uri = request.build_absolute_uri(request.path)
        super().__init__(request.method, f"https:{uri.partition(':')[2]}", headers=request.headers)
        self.payload = Form(request.POST.dict())

    @property
    def args(self) -> dict:
        return {}

    @property
    def form(self) -> dict:
        return self.payload.data


class Refused(InvalidClientError):
    """A refusal whose words the client may read: its signature was good."""


class SignedAssertion(JWTBearerClientAssertion):
    """private_key_jwt: a short-lived assertion, signed with one of the client's keys by that key's algorithm, good once."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self):
        super().__init__(leeway=LEEWAY_SECONDS)

    def __call__(self, query_client, request) -> Caller | None:
        form = request.form
        if form.get("client_assertion_type") != ASSERTION_TYPE or not form.get("client_assertion"):
            return None
        headers, claims = self.extract_assertion(form["client_assertion"])
        caller = query_client(claims.get("sub"))
        if caller is None or form.get("client_id", caller.get_client_id()) != caller.get_client_id():
            raise InvalidClientError
        caller.proven_by = _signer(caller.client, form["client_assertion"], headers.get("kid"))
        if caller.proven_by is None:
            raise InvalidClientError
        request.client = caller
        try:
            self.verify_claims(claims)
        except InvalidClientError as error:
            raise Refused(description=error.description, status_code=401) from error
        return caller

    def get_audiences(self) -> list[str]:
        return [issuer(), address("token")]

    def verify_claims(self, claims: dict) -> None:
        """Besides what the standard asks: it expires soon, so that the ids that were used need not be kept for long."""
        expires = claims.get("exp")
        if isinstance(expires, int | float) and expires > time() + LONGEST_ASSERTION_SECONDS + LEEWAY_SECONDS:
            raise InvalidClientError(description=f"An assertion expires within {LONGEST_ASSERTION_SECONDS} s.")
        super().verify_claims(claims)

    def validate_jti(self, claims: dict, jti) -> bool:
        """Keep the id until the assertion expires; False for one that was used, also by two requests at once."""
        client = MachineClient.objects.get(uuid=claims["sub"])
        now = timezone.now()
        UsedAssertion.objects.filter(client=client, expires_at__lt=now).delete()
        until = now + timedelta(seconds=LONGEST_ASSERTION_SECONDS + 2 * LEEWAY_SECONDS)
        try:
            with transaction.atomic():
                UsedAssertion.objects.create(client=client, digest=digest_of(str(jti)), expires_at=until)
        except IntegrityError:
            return False
        return True


def subject_of(assertion: str) -> str:
    """Whom an assertion names, before anything of it is checked; empty for what is none."""
    try:
        return str(json.loads(jws.extract_compact(assertion.encode()).payload)["sub"])
    except (JoseError, ValueError, TypeError, KeyError):
        return ""


def _signer(client: MachineClient, assertion: str, kid) -> MachineCredential | None:
    """The client's key that signed the assertion, by that key's own algorithm whatever the header says."""
    for credential in client.credentials.usable().filter(kind=MachineCredential.Kind.KEY):
        if kid in (None, credential.key.get("kid"), credential.hint):
            try:
                jws.deserialize_compact(assertion, import_key(credential.key), algorithms=[credential.algorithm])
            except (JoseError, ValueError, TypeError):
                continue
            return credential
    return None


class ClientCredentials(ClientCredentialsGrant):
    """The one grant. A scope that the client does not have is refused, not left out in silence."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_requested_scope(self) -> None:
        asked = set((self.request.payload.scope or "").split())
        if not asked <= self.request.client.scopes or not self.request.client.scopes:
            raise InvalidScopeError("The client does not have this scope.")


class IssuedToken(TokenMixin):
    """A token that the revocation endpoint was given."""

    def __init__(self, token: MachineToken):
        self.token = token

    def check_client(self, client: Caller) -> bool:
        return self.token.client_id == client.client.pk


class Revocation(RevocationEndpoint):
    """RFC 7009. A token that is unknown, or another's, is answered like one that was revoked."""

    CLIENT_AUTH_METHODS = METHODS

    def authenticate_token(self, request, client) -> IssuedToken | None:
        self.check_params(request, client)
        token = self.query_token(request.form["token"], None)
        return token if token is not None and token.check_client(client) else None

    def query_token(self, token_string: str, token_type_hint) -> IssuedToken | None:
        token = MachineToken.objects.filter(digest=digest_of(token_string)).first()
        return token and IssuedToken(token)

    def revoke_token(self, token: IssuedToken, request) -> None:
        MachineToken.objects.filter(pk=token.token.pk, revoked_at=None).update(revoked_at=timezone.now())


class Server(AuthorizationServer):
    """Authlib's server over our tables: tokens are opaque, and only their digests are kept."""

    def create_bearer_token_generator(self) -> BearerTokenGenerator:
        return BearerTokenGenerator(
            access_token_generator=lambda **given: MachineToken.fresh(),
            expires_generator=lambda client, grant_type: settings.MOC_TOKEN_SECONDS,
        )

    def create_oauth2_request(self, request) -> Asked:
        return request if isinstance(request, Asked) else Asked(request)

    def query_client(self, client_id) -> Caller | None:
        """A client whose user, membership and organisation are active."""
        try:
            found = uuid.UUID(client_id)
        except (ValueError, TypeError, AttributeError):
            return None
        seats = {"membership__is_active": True, "membership__user__is_active": True, "membership__organization__is_active": True}
        rows = MachineClient.objects.select_related("membership__organization")
        client = rows.filter(uuid=found, **seats).first()
        return client and Caller(client)

    def authenticate_client(self, request, methods, endpoint="token") -> Caller:
        try:
            caller = super().authenticate_client(request, methods, endpoint)
        except Refused:
            raise
        except InvalidClientError as error:
            raise InvalidClientError(description=UNKNOWN, status_code=401) from error
        MachineCredential.objects.filter(pk=caller.proven_by.pk).update(last_used_at=timezone.now())
        return caller

    def save_token(self, token: dict, request) -> MachineToken:
        """Keep the digest; what has expired of this client is removed."""
        caller, now = request.client, timezone.now()
        with transaction.atomic():
            MachineToken.objects.filter(client=caller.client, expires_at__lt=now).delete()
            return MachineToken.objects.create(
                client=caller.client,
                credential=caller.proven_by,
                digest=digest_of(token["access_token"]),
                scopes=token["scope"].split(),
                issued_at=now,
                expires_at=now + timedelta(seconds=token["expires_in"]),
            )


server = Server(MachineClient, MachineToken)
server.register_grant(ClientCredentials)
server.register_endpoint(Revocation)
server.register_client_auth_method(SignedAssertion.CLIENT_AUTH_METHOD, SignedAssertion())


def metadata() -> dict:
    """The server's description (RFC 8414)."""
    return {
        "issuer": issuer(),
        "token_endpoint": address("token"),
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256", "EdDSA"],
        "grant_types_supported": [ClientCredentialsGrant.GRANT_TYPE],
        "response_types_supported": [],
        "scopes_supported": list(PERMISSIONS),
        "revocation_endpoint": address("revoke"),
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256", "EdDSA"],
        "service_documentation": f"{issuer()}/help/machines/",
    }
