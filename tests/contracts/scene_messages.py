"""What the scene holds of messages: a utility's webhook with an event that failed, and a person's preference."""

from django.db import models

from moc import sealed
from moc.documents.models import Letter
from moc.notices.models import Preference
from moc.webhooks import signing
from moc.webhooks.models import Delivery, Event, Webhook
from moc.webhooks.services import SECRET
from tests.factories.world import World


def objects(world: World, owner) -> dict[str, models.Model]:
    """Of the utility "edc"; the preference is `owner`'s."""
    secret = sealed.seal([signing.new_secret()], SECRET)
    webhook = Webhook.objects.create(organization=world.edc, name="Ours", address="https://localhost/hook", secret=secret)
    event = Event.objects.create(organization=world.edc, kind="review_started", subject="A review", body="It is due.", url="/")
    parties = {"issuer": world.edc, "recipient": world.aggregator}
    return {
        "printed": Letter.objects.create(code="0000-0000-0000-0000", kind="decision", sha256="0" * 64, **parties),
        "webhook": webhook,
        "event": event,
        "delivery": Delivery.objects.create(webhook=webhook, event=event, status="failed", answer="500"),
        "preference": Preference.objects.create(user=owner, event="decision", by_email=False),
    }
