"""Checking a machine client's token: no query when this process has seen it lately, and a dead token is refused all the same.

What the token says (its user and scopes, which never change) is kept in the process for a while, by digest. Whether it still lives is
never kept: policy.py asks for it inside the query of memberships that every request makes anyway, so that the revocation of a token, a
secret or a key, the deactivation of a client and the end of a membership or an organisation are in force with the next request, in every
process, without a cache to invalidate. (The cache in the database would cost a query a hit; an in-process copy of the verdict would be
wrong for as long as it is kept.)
"""

from copy import copy
from datetime import timedelta
from time import monotonic

from django.db.models import Q
from django.utils import timezone

from moc.access import policy
from moc.access.machines import TOKEN_PREFIX, MachineClient, MachineToken, digest_of
from moc.access.models import User

KEPT_SECONDS, MOST_KEPT, USE_EVERY = 60, 10_000, timedelta(minutes=1)

_known: dict[str, tuple[float, User]] = {}


def is_machine_token(secret: str) -> bool:
    """Whether a bearer token is, by its looks, one of a machine client."""
    return secret.startswith(TOKEN_PREFIX)


def user_of(secret: str) -> User | None:
    """The machine's user with the token's scopes; None for a token that is unknown, expired or revoked, or whose client has ended."""
    digest = digest_of(secret)
    kept = _known.get(digest)
    if kept is None or kept[0] < monotonic():
        user = _read(digest)
        if user is None:
            return None
        _keep(digest, user)
    else:
        user = kept[1]
    user = copy(user)  # rights are resolved on the object: each request has its own
    if not policy.holds_anything(user):
        forget(digest)
        return None
    return user


def forget(digest: str) -> None:
    """Drop what this process knows of a token."""
    _known.pop(digest, None)


def _read(digest: str) -> User | None:
    """The user of a living token, with digest and scopes on it; notes the client's use, at most once a minute."""
    token = MachineToken.living(digest).select_related("client__membership__user").first()
    if token is None:
        return None
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_EVERY)
    MachineClient.objects.filter(stale, pk=token.client_id).update(last_used_at=now)
    user = token.client.membership.user
    user.token, user.scopes = digest, frozenset(token.scopes)
    return user


def _keep(digest: str, user: User) -> None:
    while len(_known) >= MOST_KEPT:
        _known.pop(next(iter(_known)), None)
    _known[digest] = (monotonic() + KEPT_SECONDS, user)
