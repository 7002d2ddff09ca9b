"""A person's sessions at browsers: listed, and ended by themselves or by their organisation's administrator."""

from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from moc import sealed
from moc.access import policy
from moc.access.models import Organization, User

PURPOSE = "session"


def sessions_of(user: User) -> QuerySet[UserSession]:
    """The sessions that still live, newest first."""
    alive = Session.objects.values("session_key")
    return UserSession.objects.filter(user=user, session_key__in=alive).order_by("-created_at", "-pk")


def named(sessions: QuerySet[UserSession]) -> list[tuple[UserSession, str]]:
    """Each session with the text that a form names it by."""
    return [(session, sealed.seal([session.pk], PURPOSE)) for session in sessions]


def chosen(sessions: QuerySet[UserSession], name: str) -> QuerySet[UserSession]:
    """The one that a form names; all where it names none; none for a name that nobody was given."""
    return sessions.filter(pk__in=sealed.unseal(name, PURPOSE) or []) if name else sessions


def end(*, actor: User, sessions: QuerySet[UserSession], organization: Organization | None = None) -> int:
    """End one's own sessions, or, as administrator of `organization`, those of its members; returns how many."""
    if organization is not None:
        policy.require(actor, "manage_members", organization)
        members = User.objects.filter(memberships__organization=organization, memberships__is_active=True)
        sessions = sessions.filter(user__in=members)
    else:
        sessions = sessions.filter(user=actor)
    keys = list(sessions.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(session_key__in=keys).delete()
    return len(keys)


def forget(before: datetime) -> int:
    """Remove from where and with which browser people were signed in, in sessions over since before a moment; returns how many."""
    alive = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return UserSession.objects.filter(last_seen_at__lt=before).exclude(session_key__in=alive).delete()[0]
