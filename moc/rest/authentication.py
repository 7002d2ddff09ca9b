"""Who calls: a machine client with an access token, or a person's program with one of that person's tokens.

A person's browser session counts too, with Django's CSRF check.
"""

from secrets import compare_digest

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from moc import sight
from moc.access import policy, tokens
from moc.access.models import ApiToken, User


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer …`. Only digests are stored and looked up; a person's are compared in constant time."""

    def authenticate(self, request):
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        secret = secret.strip()
        return self._machine(secret) if tokens.is_machine_token(secret) else self._person(secret)

    def _machine(self, secret: str) -> tuple[User, None]:
        with sight.engine():  # nobody is known yet
            user = tokens.user_of(secret)
        if user is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked, or its client has ended.")
        sight.take(policy.sight_of(user))
        return user, None

    def _person(self, secret: str) -> tuple[User, ApiToken]:
        digest = ApiToken.digest_of(secret)
        with sight.engine():  # nobody is known yet
            token = ApiToken.objects.select_related("user").filter(digest=digest, user__kind=User.Kind.PERSON).first()
        if token is None or not compare_digest(token.digest, digest) or token.revoked_at or not token.user.is_active:
            raise AuthenticationFailed("The token is unknown, revoked, or its user is deactivated.")
        sight.take(policy.sight_of(token.user))
        return token.user, token

    def authenticate_header(self, request) -> str:
        return 'Bearer realm="api"'
