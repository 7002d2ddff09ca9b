"""Tell people, in the inbox and by e-mail after the commit."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.notices.models import Notice

log = logging.getLogger(__name__)
MAX_ATTEMPTS, BATCH = 5, 100


@sight.engine()  # it is for others than whoever acts
def tell(organization: Organization, permission: str, *, event: str, subject: str, url: str = "", **context) -> int:
    """Notify everybody who holds `permission` in an organisation; the body is templates/emails/<event>.txt. Returns how many."""
    subject = " ".join(subject.split())  # one line: a title may hold several
    body = render_to_string(f"emails/{event}.txt", {"subject": subject, "organization": organization, **context}).strip()
    people = policy.holders(permission, organization)
    made = Notice.objects.bulk_create(Notice(user=user, event=event, subject=subject[:200], body=body, url=url) for user in people)
    return len(made)


def deliver() -> int:
    """Send the waiting e-mails; each is claimed, sent and marked in a transaction of its own. Returns how many were sent."""
    sent = 0
    for pk in (
        Notice.objects.filter(emailed_at__isnull=True, email_attempts__lt=MAX_ATTEMPTS).order_by("id").values_list("pk", flat=True)[:BATCH]
    ):
        sent += _deliver_one(pk)
    return sent


@transaction.atomic
def _deliver_one(pk: int) -> bool:
    notice = (
        Notice.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("user")
        .filter(pk=pk, emailed_at__isnull=True)
        .first()
    )
    if notice is None:
        return False
    notice.email_attempts += 1
    body = f"{notice.body}\n\n{settings.MOC_PUBLIC_URL}{notice.url}\n" if notice.url else notice.body
    try:
        send_mail(notice.subject, body, settings.DEFAULT_FROM_EMAIL, [notice.user.email])
        notice.emailed_at = timezone.now()
    except (OSError, ValueError):  # the server is away, or an address or subject is none: the next notice is not to wait for this one
        log.exception("e-mail of notice %s failed", pk)
    notice.save(update_fields=["emailed_at", "email_attempts"])
    return notice.emailed_at is not None


def read(*, user, notices) -> int:
    """Mark the user's notices as read."""
    return notices.filter(user=user, read_at__isnull=True).update(read_at=timezone.now())
