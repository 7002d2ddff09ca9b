"""Who calls: a machine with a bearer token. (A person's browser session counts too, with Django's CSRF check.)"""

from secrets import compare_digest

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from moc.access.models import ApiToken


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer moc_…`. Only the secret's digest is stored and looked up; digests are compared in constant time."""

    def authenticate(self, request):
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        digest = ApiToken.digest_of(secret.strip())
        token = ApiToken.objects.select_related("user").filter(digest=digest).first()
        if token is None or not compare_digest(token.digest, digest) or token.revoked_at or not token.user.is_active:
            raise AuthenticationFailed("The token is unknown, revoked, or its user is deactivated.")
        return token.user, token

    def authenticate_header(self, request) -> str:
        return 'Bearer realm="api"'
