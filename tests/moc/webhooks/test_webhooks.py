"""Webhooks (N10, N11): signed in the standard format, tried again with back-off, replayed, never sent to an inner address."""

from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from moc import outbound
from moc.access import policy
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.lifecycle import TransitionRefused
from moc.notices import services as notices
from moc.notices.models import Notice, Preference
from moc.webhooks import services, signing
from moc.webhooks.models import Delivery, Event, Webhook
from registry.submissions.models import Decision
from registry.submissions.services import reviewing
from tests.factories.filings import reviewed, row

pytestmark = pytest.mark.django_db
ADDRESS = "https://localhost/hook"


class System:
    """The organisation's own system: answers with `status`, or not at all, and keeps what it was sent."""

    def __init__(self):
        self.status, self.calls = 200, []

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return None

    def post(self, address, *, data, headers):
        self.calls.append((address, data, headers))
        if self.status is None:
            raise requests.ConnectionError("nobody there")
        answer = requests.Response()
        answer.status_code = self.status
        return answer


@pytest.fixture(autouse=True)
def system(monkeypatch, settings) -> System:
    settings.MOC_OUTBOUND_PRIVATE_HOSTS = ["localhost"]
    found = System()
    monkeypatch.setattr(outbound, "session", lambda: found)
    return found


@pytest.fixture
def made(world) -> tuple[Webhook, str]:
    facts = {"name": "Ours", "address": ADDRESS, "events": []}
    return services.configure(actor=world.user("edc", "administrator"), organization=world.edc, **facts)


@pytest.fixture
def webhook(made) -> Webhook:
    return made[0]


def tell(world, **said) -> int:
    facts = {"event": "tenure_ended", "subject": "Ended", "number": 1}
    return notices.tell(world.edc, "review_ders", **facts | said)


def later(minutes: float) -> None:
    Delivery.objects.update(due_at=timezone.now() - timedelta(minutes=minutes))


def test_the_signature_is_that_of_the_specification():
    """The worked example of the Standard Webhooks libraries."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signed = signing.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


class TestDelivery:
    def test_an_event_is_sent_once_signed_with_the_webhooks_secret(self, world, made, system):
        tell(world)
        assert (services.deliver(), services.deliver()) == (1, 0)
        ((address, body, headers),) = system.calls
        event = Event.objects.get()
        assert address == ADDRESS and headers["webhook-id"] == str(event.uuid) and b'"type":"tenure_ended"' in body
        assert headers["webhook-signature"] == signing.signature(made[1], str(event.uuid), int(headers["webhook-timestamp"]), body)
        assert Delivery.objects.values_list("status", "answer").get() == ("delivered", "200")

    @pytest.mark.parametrize(("status", "answer"), [(500, "500"), (404, "404"), (None, "No answer: ConnectionError")])
    def test_what_fails_is_tried_again_later_and_later_and_then_failed(self, world, webhook, system, status, answer):
        system.status = status
        tell(world)
        waits = []
        for _ in range(len(services.BACK_OFF)):
            assert services.deliver() == 0 and services.deliver() == 0  # not before it is due
            waits.append(Delivery.objects.get().due_at - timezone.now())
            later(1)
        spread = [wait / planned for wait, planned in zip(waits, services.BACK_OFF, strict=True)]
        assert min(spread) > 0.8 and max(spread) <= 1 + services.SPREAD
        services.deliver()
        last = Delivery.objects.get()
        assert (last.status, last.attempts) == ("failed", len(services.BACK_OFF) + 1) and last.answer == answer
        later(1)
        assert services.deliver() == 0 and len(system.calls) == last.attempts

    def test_the_id_stays_the_same_at_every_attempt(self, world, webhook, system):
        system.status = 500
        tell(world)
        services.deliver()
        later(1)
        system.status = 204
        assert services.deliver() == 1 and len({headers["webhook-id"] for _, _, headers in system.calls}) == 1

    def test_a_silent_webhook_does_not_hold_up_another(self, world, webhook, system):
        system.status = None
        for _ in range(3):
            tell(world)
        services.deliver()
        assert len(system.calls) == 1

    def test_one_that_fails_for_long_is_paused_by_the_system(self, world, webhook, system, monkeypatch):
        monkeypatch.setattr(services, "GIVE_UP_AFTER", 1)
        system.status = 500
        tell(world)
        Delivery.objects.update(attempts=len(services.BACK_OFF))
        services.deliver()
        webhook.refresh_from_db()
        assert webhook.status == "paused" and "1 deliveries failed" in webhook.history.first().history_change_reason

    def test_a_paused_one_waits_and_an_ended_one_gets_nothing_more(self, world, webhook, system):
        tell(world)
        services.move(actor=None, webhook=webhook, name="pause")
        assert services.deliver() == 0
        services.move(actor=None, webhook=webhook, name="resume")
        assert services.deliver() == 1
        tell(world)
        services.move(actor=None, webhook=webhook, name="end")
        assert services.deliver() == 0 and Delivery.objects.filter(status="failed").count() == 1
        with pytest.raises(TransitionRefused):
            services.move(actor=None, webhook=webhook, name="resume")

    def test_only_the_chosen_events_of_the_own_organisation(self, world, webhook, system):
        services.change(actor=None, webhook=webhook, name="Ours", address=ADDRESS, events=["decision"])
        tell(world)
        notices.tell(world.aggregator, "file_ders", event="tenure_ended", subject="Theirs", number=1)
        assert not Delivery.objects.exists() and Event.objects.count() == 2

    def test_an_inner_address_is_refused_when_named_and_when_called(self, world, webhook, settings, monkeypatch):
        settings.MOC_OUTBOUND_PRIVATE_HOSTS = []
        for address in ("https://localhost/", "http://example.org/", "https://10.0.0.1/"):
            with pytest.raises(UserError, match="cannot be used"):
                services.change(actor=None, webhook=webhook, name="Ours", address=address, events=[])
        monkeypatch.undo()  # the real session
        tell(world)
        assert services.deliver() == 0
        assert Delivery.objects.get().answer == "No answer: ConnectionError"


class TestReplay:
    def test_every_event_since_a_moment_again_also_those_before_the_webhook(self, world, system):
        tell(world, subject="old")
        Event.objects.update(created_at=timezone.now() - timedelta(days=9))
        tell(world, subject="one")
        actor = world.user("edc", "administrator")
        webhook, _ = services.configure(actor=actor, organization=world.edc, name="Late", address=ADDRESS, events=[])
        tell(world, subject="two")
        assert services.deliver() == 1
        assert services.replay(actor=actor, webhook=webhook, since=timezone.now() - timedelta(days=1)) == 2
        assert services.deliver() == 2
        assert [b'"subject":"one"' in body for _, body, _ in system.calls] == [False, True, False]

    def test_one_is_sent_again(self, world, webhook, system):
        tell(world)
        services.deliver()
        services.send_again(actor=None, delivery=Delivery.objects.get())
        assert services.deliver() == 1 and len(system.calls) == 2

    def test_a_paused_one_is_not_replayed(self, world, webhook):
        services.move(actor=None, webhook=webhook, name="pause")
        with pytest.raises(Conflict, match="paused"):
            services.replay(actor=None, webhook=webhook, since=timezone.now())


class TestWhoIsTold:
    """N10: one event per effective change; the author's own organisation is not told of its own act."""

    def test_a_decision_is_one_event_of_the_aggregator_and_none_of_the_utility(self, world):
        review = reviewed(world, [row(1)])
        Event.objects.all().delete(), Notice.objects.all().delete()
        decide = {"actor": world.user("edc", "reviewer"), "review": review, "kind": Decision.Kind.APPROVE}
        reviewing.decide(**decide, rows=review.submission.rows.all())
        assert list(Event.objects.values_list("kind", "organization")) == [("decision", world.aggregator.pk)]
        assert not Notice.objects.filter(user__memberships__organization=world.edc).exists()
        with pytest.raises(UserError):  # a no-op
            reviewing.decide(**decide, rows=review.submission.rows.all())
        assert Event.objects.count() == 1

    def test_who_has_a_seat_in_both_does_not_tell_himself(self, world):
        author = world.user("edc", "reviewer")
        assert tell(world, author=author) == 0 and not Event.objects.exists()
        assert tell(world, author=author, colleagues=True) == 2
        assert not Notice.objects.filter(user=author).exists()
        assert tell(world, author=world.user("aggregator", "filer")) == 3

    def test_what_is_rolled_back_is_no_event(self, world, webhook):
        with pytest.raises(ZeroDivisionError), acting(None, "system: test"):
            tell(world)
            raise ZeroDivisionError
        assert not Event.objects.exists() and not Delivery.objects.exists()


class TestPreferences:
    def test_each_is_told_as_each_prefers(self, world, mailoutbox):
        told, mailed, neither = (world.user("edc", role) for role in ("reviewer", "approver", "administrator"))
        notices.prefer(user=told, choices={"tenure_ended": (True, False)})
        notices.prefer(user=mailed, choices={"tenure_ended": (False, True)})
        notices.prefer(user=neither, choices={"tenure_ended": (False, False)})
        tell(world)
        assert notices.deliver() == 1 and [sent.to for sent in mailoutbox] == [[mailed.email]]
        assert list(Notice.objects.filter(read_at=None).values_list("user", flat=True)) == [told.pk]
        assert not Notice.objects.filter(user=neither).exists()
        tell(world, event="answered")
        assert Notice.objects.filter(event="answered", read_at=None).count() == 3  # another event

    def test_the_page_and_the_api_keep_the_choice(self, world, client_of, api_of):
        user = world.user("edc", "reviewer")
        client_of(user).post("/notices/preferences/", {"decision": ["in_app"]})
        assert Preference.objects.filter(user=user, in_app=True).values_list("event", flat=True).get() == "decision"
        body = [{"event": "decision", "in_app": False, "by_email": True}]
        answer = api_of(user).post("/api/v1/notices/preferences/", body).json()
        assert body[0] in answer and len(answer) == len(services.kinds())
        assert api_of(user).post("/api/v1/notices/preferences/", [body[0] | {"event": "nothing"}]).json()["code"] == "NOTICE-EVENT"


def test_who_only_invites_chooses_no_address(world):
    """The operator administers an organisation without an administrator, and is still told nothing of it."""
    with acting(None, "system: test"):
        world.edc.memberships.filter(role="administrator").update(is_active=False)
    operator = world.user("operator", "administrator")
    with pytest.raises(policy.NotPermitted):
        services.configure(actor=operator, organization=world.edc, name="Theirs", address=ADDRESS, events=[])


def test_the_pages_show_the_secret_once_and_send_again(world, client_of, system):
    client = client_of(world.user("edc", "administrator"))
    page = client.post("/webhooks/new/", {"organization": world.edc.pk, "name": "Ours", "address": ADDRESS}).content.decode()
    webhook = Webhook.objects.get()
    assert "whsec_" in page and "whsec_" not in client.get(f"/webhooks/{webhook.uuid}/").content.decode()
    client.post(f"/webhooks/{webhook.uuid}/test/")
    system.status = 500
    services.deliver()
    delivery = Delivery.objects.get()
    assert "500" in client.get(f"/webhooks/deliveries/{delivery.uuid}/").content.decode()
    client.post(f"/webhooks/deliveries/{delivery.uuid}/send/")
    system.status = 200
    assert services.deliver() == 1
    assert "Delivered" in client.get(f"/webhooks/{webhook.uuid}/deliveries/?status=delivered").content.decode()


def test_a_change_by_the_api_means_a_version(world, api_of, webhook):
    api, body = api_of(world.user("edc", "administrator")), {"name": "Other", "address": ADDRESS, "events": []}
    url = f"/api/v1/webhooks/{webhook.uuid}/"
    assert api.put(url, body).status_code == 428
    tag = api.get(url)["ETag"]
    assert api.put(url, body, headers={"If-Match": tag}).json()["name"] == "Other"
    assert api.put(url, body, headers={"If-Match": tag}).status_code == 412
