"""Personal data at the end of their period: the person is unrecoverable, the record, its history and its seals stay. N4, N12, N13."""

import io
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.accesslog.models import AccessEntry
from moc.history import acting
from moc.seals import services as seals
from moc.seals.verification import verify
from moc.vault.models import SubjectKey
from registry.administration.services import anonymising
from registry.ders.models import Der
from registry.participants.models import DerOwner
from registry.participants.services import opened
from registry.submissions.personal import StagedOwner
from registry.submissions.services import reviewing
from registry.submissions.switching import LookUp
from tests.factories.filings import reviewed, row, store_in
from tests.factories.qualification import law
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
YEARS = {years: TODAY + timedelta(days=round(365.25 * years) + 1) for years in (1, 7)}


@pytest.fixture
def left(world, settings, tmp_path) -> Der:
    """A DER that has left for good; its neighbour has not."""
    store_in(settings, tmp_path)
    review = reviewed(world, [row(1), row(2)])
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.all(), kind="approve")
    der = Der.objects.get(external_id="A-1")
    with acting(None, REASON):
        Der.lifecycle.move(Der.objects.filter(pk=der.pk), "decommission", actor=None, reason="system: tests")
    return der


def test_an_owner_without_a_der_is_anonymised_when_the_period_is_over(world, left):
    """Not before, and nobody else; the keys of every version are gone, and the look is in the log. A second run finds nothing."""
    owner, other = left.owner, Der.objects.get(external_id="A-2").owner
    versions = list(DerOwner.history.filter(id=owner.pk))
    assert opened(owner)["owner_name"] == "Owner 1"
    assert anonymising.enforce(YEARS[1])["owners"] == 0
    assert anonymising.enforce(YEARS[7]) == {"owners": 1, "look_ups": 0, "sign_ins": 0}
    owner.refresh_from_db()
    assert owner.erased_at and owner.account_index is None and bytes(owner.sealed) == b""
    assert all(each.subject and bytes(each.sealed) for each in versions), "history is not touched"
    assert not SubjectKey.objects.filter(pk__in=[each.subject for each in versions]).exists()
    assert StagedOwner.objects.filter(row__external_id="A-1").get().account_index is None
    entry = AccessEntry.objects.get()
    assert (entry.actor, entry.holder, entry.filed_by, entry.purpose) == (None, world.edc, world.aggregator, "erasure")
    assert entry.subject == versions[0].subject and entry.note.startswith("retention of 7 years")
    other.refresh_from_db()
    assert opened(other)["owner_name"] == "Owner 2" and anonymising.enforce(YEARS[7])["owners"] == 0
    assert DerOwner.history.filter(id=owner.pk).latest().history_change_reason.startswith("system: retention")


@pytest.mark.django_db(transaction=True)
def test_sealed_history_verifies_afterwards(left):
    """N4: nothing of the past was changed: what it says of the person can no longer be read."""
    seals.seal()
    assert anonymising.enforce(YEARS[7])["owners"] == 1
    seals.seal()
    assert list(verify()) == []


def test_the_rule_set_row_decides(world, left):
    """N13: of the utility's regulator before the default; "none" keeps for ever."""
    law("anonymised_years_owners", "none", authority="rerra")
    assert anonymising.enforce(YEARS[7])["owners"] == 0
    law("anonymised_years_owners", 1, authority="rerra")
    assert anonymising.enforce(YEARS[1])["owners"] == 1


def test_who_has_a_der_again_or_is_filed_again_stays(world, left):
    anonymising.mark()
    assert DerOwner.objects.get(pk=left.owner_id).idle_since == TODAY
    reviewed(world, [row(3, edc_account_no="100001")])
    assert not anonymising.due(world.edc, anonymising.law(anonymising.OWNERS, TODAY, world.edc), YEARS[7]).exists()
    with acting(None, REASON):
        Der.objects.filter(external_id="A-2").update(owner=left.owner)
    anonymising.mark()
    assert DerOwner.objects.get(pk=left.owner_id).idle_since is None


def test_look_ups_and_sign_ins_are_forgotten(world):
    actor = world.user("aggregator", "filer")
    old = timezone.now() - timedelta(days=4 * 366)
    for at in (old, timezone.now()):
        LookUp.objects.create(aggregator=world.aggregator, edc=world.edc, actor=actor, at=at, ders=[["x", "y"]])
        made = UserSession.objects.create(user=actor, session_key=f"s{at:%Y}", ip="192.0.2.1", user_agent="A browser")
        UserSession.objects.filter(pk=made.pk).update(last_seen_at=at)
    assert anonymising.enforce() == {"owners": 0, "look_ups": 1, "sign_ins": 1}
    assert list(LookUp.objects.order_by("at").values_list("actor", "ders")) == [(None, []), (actor.pk, [["x", "y"]])]
    assert UserSession.objects.count() == 1 and "1 look-ups" in AccessEntry.objects.get().note
    assert anonymising.enforce() == {"owners": 0, "look_ups": 0, "sign_ins": 0}


def test_the_regulator_sees_what_falls_due(world, left, client_of):
    """Its own utilities only; the command says the same."""
    law("anonymised_years_owners", 1, authority="rerra")
    anonymising.mark()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registry_derowner SET idle_since = idle_since - 400 WHERE id = %s", [left.owner_id])
    (own,) = anonymising.preview(world.user("rerra", "auditor"))
    assert (own.edc, own.idle, own.due, own.soon, own.held, own.done) == (world.edc, 1, 1, 0, 0, 0)
    page = client_of(world.user("rerra", "auditor")).get("/registry/administration/anonymisation/").content.decode()
    assert "1 years" in page and world.edc.name in page and world.edc2.name not in page
    with pytest.raises(NotPermitted):
        anonymising.preview(world.user("aggregator", "filer"))
    out = io.StringIO()
    call_command("anonymise", "--preview", stdout=out)
    assert "edc: 1 owners without a DER, 1 due" in out.getvalue()
    call_command("anonymise", stdout=out)
    assert "owners: 1 anonymised" in out.getvalue()
    assert anonymising.preview(world.user("rerra", "auditor"))[0].done == 1
