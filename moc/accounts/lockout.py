"""A hundred failures in a row lock an account; a new password, or an administrator, opens it again (NIST SP 800-63B-4, 3.2.2)."""

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization, User
from moc.accounts.models import SignInFailures


@sight.engine()  # whoever signs in is nobody yet
def is_locked(user: User) -> bool:
    """May nobody sign in to the account by password or code?"""
    return SignInFailures.objects.filter(user=user, locked_at__isnull=False).exists()


@transaction.atomic
@sight.engine()  # whoever signs in is nobody yet
def count_failure(user: User) -> None:
    """One more failure; the one that reaches the limit locks the account and writes to its owner."""
    row, _ = SignInFailures.objects.get_or_create(user=user)
    SignInFailures.objects.filter(pk=row.pk).update(count=F("count") + 1)
    due = SignInFailures.objects.filter(pk=row.pk, count__gte=settings.MOC_LOCKOUT_FAILURES, locked_at__isnull=True)
    if due.update(locked_at=timezone.now()):
        facts = {
            "user": user,
            "url": settings.MOC_PUBLIC_URL + reverse("account_reset_password"),
            "failures": settings.MOC_LOCKOUT_FAILURES,
        }
        body = render_to_string("account/email/locked.txt", facts)
        send_mail("Your account is locked", body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [user.email], fail_silently=True)


def count_failure_at(email: str) -> None:
    """One more failure of whoever has this address; of nobody if nobody has it."""
    user = User.objects.filter(email__iexact=email, is_active=True, kind=User.Kind.PERSON).first()
    if user is not None:
        count_failure(user)


@sight.engine()  # whoever signs in is nobody yet
def clear(user: User) -> None:
    """A success ends the row of failures, and a new password the lock."""
    SignInFailures.objects.filter(Q(count__gt=0) | Q(locked_at__isnull=False), user=user).update(count=0, locked_at=None)


def unlock(*, actor: User, organization: Organization, user: User) -> None:
    """An administrator opens a member's account again."""
    policy.require(actor, "manage_members", organization)
    clear(user)
