"""Notices: told once to whoever may act, e-mailed once, and one that cannot be sent stops no other."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connection, transaction

from moc import sight
from moc.access.models import User
from moc.access.roles import roles_with
from moc.history import acting
from moc.notices import services
from moc.notices.models import Notice
from tests.contracts.sources import ROOT

WORDED = services.worded
EVENTS = sorted(path.stem for path in (ROOT / "templates" / "emails").glob("*.txt"))


@pytest.fixture(autouse=True)
def _plain_body(monkeypatch):
    """The bodies of events have tests where they are written."""
    monkeypatch.setattr(services, "worded", lambda name, context: f"{name}: {context['subject']}")


def notice(user, **facts) -> Notice:
    return Notice.objects.create(**{"user": user, "event": "test", "subject": "A subject", "body": "A body", **facts})


@pytest.mark.django_db
class TestTell:
    def test_everybody_who_may_act_is_told_and_nobody_else(self, world):
        assert services.tell(world.edc, "review_ders", event="review_opened", subject="Review", url="/registry/reviews/") == 3
        told = set(Notice.objects.values_list("user", flat=True))
        assert told == {world.user("edc", role).pk for kind, role in roles_with("review_ders") if kind == "edc"}
        assert set(Notice.objects.values_list("event", "subject", "url")) == {("review_opened", "Review", "/registry/reviews/")}

    def test_a_title_of_several_lines_makes_a_subject_of_one(self, world):
        services.tell(world.edc, "review_ders", event="x", subject="One\r\nBcc: all@example.org\n" + "long " * 100)
        subject = Notice.objects.values_list("subject", flat=True)[0]
        assert subject.startswith("One Bcc: all@example.org long") and len(subject) <= 200 and "\n" not in subject

    def test_what_is_rolled_back_told_nobody(self, world):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            services.tell(world.edc, "review_ders", event="x", subject="x")
            raise ZeroDivisionError
        assert not Notice.objects.exists()


@pytest.mark.django_db
class TestDeliver:
    def test_each_is_sent_once_with_its_address(self, world, settings):
        settings.MOC_PUBLIC_URL = "https://registry.example.org"
        user = world.user("edc", "reviewer")
        notice(user, url="/registry/reviews/")
        notice(user, subject="Another")
        assert (services.deliver(), services.deliver()) == (2, 0)
        first, second = mail.outbox
        assert first.to == [user.email] and first.subject == "A subject"
        assert first.body == "A body\n\nhttps://registry.example.org/registry/reviews/\n"
        assert second.body == "A body"
        assert not Notice.objects.filter(emailed_at__isnull=True).exists()

    @pytest.mark.parametrize("error", [ConnectionRefusedError("away"), ValueError("bad header")])
    def test_one_that_cannot_be_sent_is_tried_again_and_stops_no_other(self, world, monkeypatch, error):
        user = world.user("edc", "reviewer")
        bad, good = notice(user, subject="bad"), notice(user, subject="good")
        really = services.send_mail

        def send(subject, *args):
            if subject == "bad":
                raise error
            return really(subject, *args)

        monkeypatch.setattr(services, "send_mail", send)
        assert [services.deliver() for _ in range(services.MAX_ATTEMPTS + 2)][:2] == [1, 0]
        bad.refresh_from_db(), good.refresh_from_db()
        assert bad.emailed_at is None and bad.email_attempts == services.MAX_ATTEMPTS
        assert good.emailed_at and [sent.subject for sent in mail.outbox] == ["good"]

    def test_a_batch_at_a_time_oldest_first(self, world, monkeypatch):
        monkeypatch.setattr(services, "BATCH", 2)
        for number in range(3):
            notice(world.user("edc", "reviewer"), subject=str(number))
        assert [services.deliver(), services.deliver()] == [2, 1]
        assert [sent.subject for sent in mail.outbox] == ["0", "1", "2"]


@pytest.mark.django_db(transaction=True)
def test_two_deliveries_at_once_send_each_once():
    with acting(None, "system: test"):
        user = User.objects.create_user("ann@example.org", "long enough for anybody")
    for number in range(20):
        notice(user, subject=str(number))

    @sight.engine()
    def deliver(_):
        try:
            return services.deliver()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(deliver, range(2))) == 20
    assert sorted(int(sent.subject) for sent in mail.outbox) == list(range(20))


@pytest.mark.django_db
def test_people_read_their_own_only(world):
    mine, others = notice(world.user("edc", "reviewer")), notice(world.user("edc", "viewer"))
    assert services.read(user=world.user("edc", "reviewer"), notices=Notice.objects.all()) == 1
    mine.refresh_from_db(), others.refresh_from_db()
    assert mine.read_at and others.read_at is None
    assert list(Notice.objects.visible_to(world.user("edc", "viewer"))) == [others]


@pytest.mark.parametrize("event", EVENTS)
def test_bodies_are_plain_text(event):
    said = WORDED(f"{event}.txt", {"subject": "Light & Power", "organization": "An organisation"})
    assert "<" not in said and "&amp;" not in said


def test_what_is_said_is_not_escaped_as_html():
    """Names stand as they are: it is no page."""
    assert "Light & Power's" in WORDED("envelopes_waiting.txt", {"subject": "Light & Power's"})
