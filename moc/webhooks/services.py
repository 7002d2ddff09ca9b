"""Set up webhooks, publish events to them, and deliver: signed, to public addresses only, again with back-off, and again on request."""

import logging
import random
from datetime import datetime, timedelta
from time import monotonic
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from moc import outbound, sealed
from moc.access import policy
from moc.access.models import Organization
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.webhooks import signing
from moc.webhooks.models import PERMISSION, Delivery, Event, Webhook

log = logging.getLogger(__name__)
SECRET, MOST, TEST = "webhook", 10, "test"
# after each failed attempt, the wait before the next; after the last one the delivery has failed, about 28 hours after the event
BACK_OFF = tuple(timedelta(seconds=each) for each in (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000))
SPREAD = 0.1  # so that what failed together does not come back together
LEASE, PASS_SECONDS, BATCH = timedelta(minutes=2), 60, 100
GIVE_UP_AFTER = 20  # deliveries that failed for good, with none between them that was answered


def configure(*, actor, organization: Organization, name: str, address: str, events: list[str]) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is shown this once. Raises UserError (WEBHOOK-ADDRESS, WEBHOOK-EVENT, WEBHOOK-MANY)."""
    policy.require(actor, PERMISSION, organization)
    if organization not in policy.own_organizations(actor):  # who only invites its first administrator is told nothing of it
        raise policy.NotPermitted("An organisation's own people choose where its events go.")
    _check(address, events)
    secret = signing.new_secret()
    with acting(actor, f"webhook {name} made"):
        Organization.objects.select_for_update(of=("self",)).get(pk=organization.pk)
        if Webhook.objects.filter(organization=organization).exclude(status=Webhook.Status.ENDED).count() >= MOST:
            raise UserError(f"An organisation has at most {MOST} webhooks.", "End one that is no longer used.", "WEBHOOK-MANY")
        facts = {"organization": organization, "name": name, "address": address, "events": sorted(set(events)), "created_by": actor}
        return Webhook.objects.create(secret=sealed.seal([secret], SECRET), **facts), secret


def change(*, actor, webhook: Webhook, name: str, address: str, events: list[str]) -> None:
    """Another name, address or choice of events. Raises UserError (WEBHOOK-ADDRESS, WEBHOOK-EVENT)."""
    policy.require(actor, PERMISSION, webhook)
    _check(address, events)
    with acting(actor, f"webhook {webhook} changed"):
        Webhook.objects.filter(pk=webhook.pk).update(name=name, address=address, events=sorted(set(events)))


def _check(address: str, events: list[str]) -> None:
    """An https address that leads to no private network, and kinds of events that there are."""
    try:
        if not outbound.may_call(address):
            raise outbound.Refused("Only https addresses are called.")
        parts = urlsplit(address)
        outbound.public_address(parts.hostname, parts.port or 443)
    except outbound.Refused as error:
        raise UserError(f"This address cannot be used: {error}", "Give its public https address.", "WEBHOOK-ADDRESS") from error
    if strange := sorted(set(events) - set(kinds())):
        raise UserError(f"There is no event {strange[0]}.", f"Choose from {', '.join(kinds())}.", "WEBHOOK-EVENT")


def kinds() -> list[str]:
    """The kinds of events that there are: each has its text in templates/emails."""
    return sorted(path.stem for path in (settings.BASE_DIR / "templates" / "emails").glob("*.txt"))


def move(*, actor, webhook: Webhook, name: str, reason: str = "") -> None:
    """Pause, resume or end a webhook. What waits while it is paused is sent when it is resumed; an ended one gets nothing more."""
    transition = Webhook.lifecycle.transitions[name]
    policy.require(actor, transition.permission, webhook)
    with transaction.atomic():
        Webhook.lifecycle.move(Webhook.objects.filter(pk=webhook.pk), name, actor=actor, reason=reason)
        if name == "end":
            _waiting(webhook).update(status=Delivery.Status.FAILED, answer="The webhook was ended.")


def renew_secret(*, actor, webhook: Webhook) -> str:
    """Another secret, shown this once; the next attempt is signed with it."""
    policy.require(actor, PERMISSION, webhook)
    secret = signing.new_secret()
    with acting(actor, f"secret of webhook {webhook} replaced"):
        Webhook.objects.filter(pk=webhook.pk).update(secret=sealed.seal([secret], SECRET))
    return secret


def publish(*, organization: Organization, kind: str, subject: str, body: str, url: str) -> Event:
    """Keep an event of an organisation, and what waits of it for each of its webhooks; within the transaction of the change itself."""
    event = Event.objects.create(organization=organization, kind=kind, subject=subject[:200], body=body, url=url)
    _await(Webhook.objects.filter(organization=organization, status=Webhook.Status.ACTIVE), Event.objects.filter(pk=event.pk))
    return event


def _await(webhooks, events) -> int:
    """Deliveries of each event to each webhook that wants its kind and has it not yet. Returns how many."""
    found = [
        Delivery(webhook=webhook, event=event)
        for webhook in webhooks
        for event in events.filter(organization=webhook.organization_id).order_by("pk").iterator(chunk_size=1_000)
        if not webhook.events or event.kind in webhook.events or event.kind == TEST
    ]
    return len(Delivery.objects.bulk_create(found, batch_size=1_000, ignore_conflicts=True))


def try_out(*, actor, webhook: Webhook) -> Delivery:
    """Send a test event."""
    policy.require(actor, PERMISSION, webhook)
    _require_active(webhook)
    with acting(actor, f"webhook {webhook} tried"):
        event = Event.objects.create(organization=webhook.organization, kind=TEST, subject="A test of the webhook", body="It works.")
        return Delivery.objects.create(webhook=webhook, event=event)


def send_again(*, actor, delivery: Delivery) -> None:
    """Send a delivery again now, whatever came of it. Raises Conflict (WEBHOOK-PAUSED)."""
    policy.require(actor, PERMISSION, delivery.webhook)
    _require_active(delivery.webhook)
    with acting(actor, f"{delivery} sent again"):
        _again(Delivery.objects.filter(pk=delivery.pk))


def replay(*, actor, webhook: Webhook, since: datetime) -> int:
    """Send every event since a moment (again), in its order; returns how many. Raises Conflict (WEBHOOK-PAUSED)."""
    policy.require(actor, PERMISSION, webhook)
    _require_active(webhook)
    with acting(actor, f"webhook {webhook} replayed since {since:%Y-%m-%d %H:%M}"):
        events = Event.objects.filter(organization=webhook.organization_id, created_at__gte=since).exclude(kind=TEST)
        _again(Delivery.objects.filter(webhook=webhook, event__in=events))
        _await([webhook], events)
        return _waiting(webhook).filter(event__in=events).count()


def _require_active(webhook: Webhook) -> None:
    if not Webhook.objects.filter(pk=webhook.pk, status=Webhook.Status.ACTIVE).exists():
        raise Conflict("The webhook is paused or ended.", "Resume it first.", "WEBHOOK-PAUSED")


def _again(deliveries) -> None:
    deliveries.update(status=Delivery.Status.WAITING, attempts=0, due_at=timezone.now())


def _waiting(webhook: Webhook):
    return Delivery.objects.filter(webhook=webhook, status=Delivery.Status.WAITING)


def deliver(seconds: float = PASS_SECONDS) -> int:
    """Try what is due, oldest event first; a webhook that fails waits for its next turn. Returns how many were answered well.

    No lock is held while a system is called: a delivery is leased to this worker, and due again when the lease ends.
    """
    until, silent, sent = monotonic() + seconds, set(), 0
    for pk, webhook in list(_due().order_by("event_id", "pk").values_list("pk", "webhook_id")[:BATCH]):
        if monotonic() > until:
            break
        if webhook in silent:
            continue
        delivered = _deliver_one(pk)
        sent += delivered is True
        if delivered is False:
            silent.add(webhook)
    return sent


def _due():
    active = Q(status=Delivery.Status.WAITING, webhook__status=Webhook.Status.ACTIVE, webhook__organization__is_active=True)
    return Delivery.objects.filter(active, due_at__lte=timezone.now())


def _deliver_one(pk: int) -> bool | None:
    """True: answered well; False: not; None: another worker has it."""
    leased = Delivery.objects.filter(pk__in=_due().filter(pk=pk).values("pk"), due_at__lte=timezone.now())
    if not leased.update(due_at=timezone.now() + LEASE, attempts=F("attempts") + 1, tried_at=timezone.now()):
        return None
    delivery = Delivery.objects.select_related("webhook", "event__organization").get(pk=pk)
    well, answer = _call(delivery)
    mine = Delivery.objects.filter(pk=pk, status=Delivery.Status.WAITING, attempts=delivery.attempts)
    if well:
        mine.update(status=Delivery.Status.DELIVERED, answer=answer)
    elif delivery.attempts > len(BACK_OFF):
        mine.update(status=Delivery.Status.FAILED, answer=answer)
        _give_up(delivery.webhook)
    else:
        wait = BACK_OFF[delivery.attempts - 1] * random.uniform(1, 1 + SPREAD)
        mine.update(due_at=timezone.now() + wait, answer=answer)
    return well


def body_of(delivery: Delivery) -> str:
    """The text that is sent."""
    return signing.body_of(delivery.event, settings.MOC_PUBLIC_URL).decode()


def _call(delivery: Delivery) -> tuple[bool, str]:
    """(whether the answer was a success, what it was)"""
    webhook, body = delivery.webhook, signing.body_of(delivery.event, settings.MOC_PUBLIC_URL)
    (secret,) = sealed.unseal(webhook.secret, SECRET)
    headers = signing.headers(secret, str(delivery.event.uuid), int(timezone.now().timestamp()), body)
    try:
        with outbound.session() as session:
            answer = session.post(webhook.address, data=body, headers=headers)
        return answer.ok, f"{answer.status_code} {answer.reason or ''}".strip()[:300]
    except requests.RequestException as error:
        log.info("webhook %s was not reached: %s", webhook.uuid, error)
        return False, f"No answer: {type(error).__name__}"


def _give_up(webhook: Webhook) -> None:
    """Pause a webhook whose deliveries have long failed for good, with no success between."""
    ended = Delivery.objects.filter(webhook=webhook).exclude(status=Delivery.Status.WAITING)
    later = ended.filter(status=Delivery.Status.DELIVERED, tried_at__gte=OuterRef("tried_at"))
    if ended.filter(~Exists(later), status=Delivery.Status.FAILED)[:GIVE_UP_AFTER].count() == GIVE_UP_AFTER:
        active = Webhook.objects.filter(pk=webhook.pk, status=Webhook.Status.ACTIVE)
        Webhook.lifecycle.move(active, "give_up", actor=None, reason=f"system: {GIVE_UP_AFTER} deliveries failed")
