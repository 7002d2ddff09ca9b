"""Tell people, in the inbox and by e-mail after the commit."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.errors import UserError
from moc.notices.models import Notice, Preference
from moc.webhooks.services import kinds, publish

log = logging.getLogger(__name__)
MAX_ATTEMPTS, BATCH = 5, 100


@sight.engine()  # it is for others than whoever acts
def tell(
    organization: Organization,
    permission: str,
    *,
    event: str,
    subject: str,
    url: str = "",
    author=None,
    colleagues: bool = False,
    to_people: bool = True,
    **context,
) -> int:
    """Tell an organisation of one effective change, within its transaction: an event for its webhooks, a notification for everybody who
    holds `permission` there, as each prefers. The body is templates/emails/<event>.txt. Returns how many people.

    `author` is whose act it was, None for the system's: the author's own organisation is not told of it, but for its `colleagues` where
    the act asks them to act in turn; the author never is. Not `to_people`: an event for webhooks only, of what comes every few minutes.
    """
    if author is not None and not colleagues and organization in policy.own_organizations(author):
        return 0
    subject = " ".join(subject.split())[:200]  # one line: a title may hold several
    body = worded(f"{event}.txt", {"subject": subject, "organization": organization, **context})
    publish(organization=organization, kind=event, subject=subject, body=body, url=url)
    if not to_people:
        return 0
    people = policy.holders(permission, organization).exclude(pk=author.pk if author else None)
    return notify(people, event=event, subject=subject, body=body, url=url)


def worded(name: str, context: dict) -> str:
    """A text of templates/emails: plain, so that nothing of it is escaped as HTML would be."""
    return get_template(f"emails/{name}").template.render(Context(context, autoescape=False)).strip()


def notify(people, *, event: str, subject: str, body: str, url: str = "", default: tuple[bool, bool] = (True, True)) -> int:
    """A notification to each of some people, as each prefers, else by `default` (in the app, by e-mail); returns how many."""
    chosen = {each.user_id: (each.in_app, each.by_email) for each in Preference.objects.filter(user__in=people, event=event)}
    now, made = timezone.now(), []
    for user in people:
        in_app, by_email = chosen.get(user.pk, default)
        if in_app or by_email:
            facts = {"event": event, "subject": subject[:200], "body": body, "url": url, "by_email": by_email}
            made.append(Notice(user=user, created_at=now, read_at=None if in_app else now, **facts))
    return len(Notice.objects.bulk_create(made))


def preferences_of(user) -> list[tuple[str, bool, bool]]:
    """(event, in the app, by e-mail) of every kind of event."""
    chosen = {each.event: (each.in_app, each.by_email) for each in Preference.objects.filter(user=user)}
    return [(event, *chosen.get(event, (True, True))) for event in kinds()]


def prefer(*, user, choices: dict[str, tuple[bool, bool]]) -> None:
    """Choose for oneself: event → (in the app, by e-mail). Raises UserError (NOTICE-EVENT) for an event that there is not."""
    if strange := sorted(set(choices) - set(kinds())):
        raise UserError(f"There is no event {strange[0]}.", f"Choose from {', '.join(kinds())}.", "NOTICE-EVENT")
    rows = [Preference(user=user, event=event, in_app=in_app, by_email=by_email) for event, (in_app, by_email) in choices.items()]
    Preference.objects.bulk_create(rows, update_conflicts=True, unique_fields=["user", "event"], update_fields=["in_app", "by_email"])


def deliver() -> int:
    """Send the waiting e-mails; each is claimed, sent and marked in a transaction of its own. Returns how many were sent."""
    sent = 0
    waiting = Notice.objects.filter(emailed_at__isnull=True, by_email=True, email_attempts__lt=MAX_ATTEMPTS)
    for pk in waiting.order_by("id").values_list("pk", flat=True)[:BATCH]:
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
