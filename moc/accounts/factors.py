"""Who needs a second factor, and the forms that take its codes."""

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from moc import sight
from moc.access import presence
from moc.access.models import Membership, User
from moc.access.roles import SECOND_FACTOR
from moc.accounts import lockout

PROVED = "moc_second_factor"  # in the session: the user who has it
NOBODYS = (".example.org", "@example.org")  # addresses that reach nobody (RFC 2606): the demonstration logins


def is_exempt(user: User) -> bool:
    """Demonstration logins, whose password is printed on the start page, where settings say so; never in production."""
    return settings.MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION and user.email.endswith(NOBODYS)


@sight.engine()  # whoever signs in is nobody yet
def needs_second_factor(user: User) -> bool:
    """Has the user a role that is held with a second factor only?"""
    if is_exempt(user):
        return False
    seats = Membership.objects.filter(user=user, is_active=True, organization__is_active=True)
    return seats.filter(role__in=SECOND_FACTOR).exists()


def is_missing(request: HttpRequest) -> bool:
    """Must the user set up a second factor before anything else? A session that has shown one is not asked again."""
    user, session = request.user, request.session
    if is_exempt(user) or session.get(PROVED) == user.pk:
        return False
    if presence.has_second_factor(user):
        session[PROVED] = user.pk
        return False
    return needs_second_factor(user)


class _Counted:
    """A form that takes a code: a wrong one counts towards the lockout, and a locked account takes none."""

    def clean_code(self) -> str:
        try:
            if lockout.is_locked(self.user):
                raise ValidationError("Incorrect code.", code="incorrect_code")
            return super().clean_code()
        except ValidationError:
            lockout.count_failure(self.user)
            raise


class CodeForm(_Counted, AuthenticateForm):
    """The code after the password."""


class CodeAgainForm(_Counted, ReauthenticateForm):
    """The code before a sensitive act."""
