"""Clients as they are after signing in: what every session then knows."""

from time import time

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from moc.access.models import User
from moc.middleware import SEEN, STARTED


def sign_in(client: Client, user: User, *, ago: int = 0, method: str = "password") -> Client:
    """Sign a test client in, as by the form `ago` seconds before; no later request writes the session for the first time."""
    client.force_login(user)
    session = client.session
    session[STARTED] = session[SEEN] = int(time())
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": method, "at": time() - ago}]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()
    return client


def code_of(secret: str, steps: int = 0) -> str:
    """What an authenticator app with this key shows now, or some half minutes away (RFC 6238)."""
    return format_hotp_value(hotp_value(secret, int(time()) // 30 + steps))
