"""What allauth asks of us: nobody signs up uninvited, and what it writes to a user is in the history."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.contrib import messages
from django.http import HttpRequest

from moc.access.models import User
from moc.history import acting
from moc.middleware import client_address


class AccountAdapter(DefaultAccountAdapter):
    """No public sign-up; addresses behind our proxies; recorded changes of an e-mail address."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """The owner of the mailbox followed the link: the address becomes the one to sign in with."""
        if User.objects.filter(email__iexact=email_address.email).exclude(pk=email_address.user_id).exists():
            self.add_message(request, messages.ERROR, "account/messages/email_confirmation_failed.txt", {"email": email_address.email})
            return False
        with acting(email_address.user, "own e-mail address changed and confirmed by link"):
            return super().confirm_email(request, email_address)
