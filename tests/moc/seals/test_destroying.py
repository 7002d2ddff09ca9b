"""Archived rows that are kept no longer are destroyed by two people, with a record, and never while a dispute holds them (N4, N12)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import formats, timezone

from moc.access.models import User
from moc.accesslog.models import AccessEntry
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.rulesets.models import RuleSet
from moc.seals import archives, archiving, destroying, services
from moc.seals.models import Archive, Destruction
from moc.seals.verification import verify
from tests.factories.filings import store_in

OLD = datetime(2016, 5, 9, 12, tzinfo=UTC)
LOG = "moc_accessentry"


@pytest.fixture
def archive(sealed, later, settings, tmp_path) -> Archive:
    """A month of looks of 2016, between looks that are kept, in a file."""
    store_in(settings, tmp_path)
    facts = {"holder": sealed.edc, "record": "A DER", "columns": ["name"], "purpose": "account"}
    for at in (OLD, datetime(2025, 5, 1, tzinfo=UTC), OLD + timedelta(days=1)):
        AccessEntry.objects.create(at=at, **facts)
    later(LOG, "id")
    services.seal()
    (made,) = archiving.archive(now=datetime(2026, 1, 1, tzinfo=UTC))
    later("moc_archive", "id")
    return made


@pytest.fixture
def people(sealed) -> tuple[User, User]:
    return sealed.user("operator", "administrator"), sealed.user("operator2", "administrator")


@pytest.fixture
def confirmed(archive, people) -> Destruction:
    first, second = people
    made = destroying.propose(actor=first, archive=archive, reason="kept no longer")
    destroying.move(actor=second, rows=Destruction.objects.filter(pk=made.pk), name="confirm")
    return made


def about_the_log() -> list[tuple]:
    return [(each.kind, each.row) for each in verify() if each.table == LOG]


def test_two_people_destroy_a_file_and_the_rest_stays_proven(archive, confirmed, tamper):
    """What is gone is an answer for the rows that it names, and for no other row."""
    archiving.archive()
    confirmed.refresh_from_db()
    assert confirmed.status == "destroyed" and not default_storage.exists(archive.path)
    assert about_the_log() == [] and archives.wrong_with(archive) == ""
    kept = AccessEntry.objects.get()
    tamper("UPDATE moc_accessentry SET purpose = 'legal' WHERE id = %s", kept.pk)
    assert about_the_log() == [("altered", kept.pk)]
    tamper("DELETE FROM moc_accessentry")
    assert about_the_log() == [("removed", kept.pk)]


def test_a_forged_record_of_destruction_counts_for_nothing(archive, confirmed, tamper):
    """A superuser who removes another row and adds it to the record cannot sign that."""
    destroying.carry_out()
    kept = AccessEntry.objects.get()
    tamper("DELETE FROM moc_accessentry")
    tamper("""UPDATE moc_destruction SET statement = replace(statement, '"keys":[', '"keys":[[1,1000000],')""")
    found = about_the_log()
    assert ("destruction", None) in found and ("removed", kept.pk) in found


def test_four_eyes(archive, people):
    """Not by who proposed it, not even in SQL; and each archive once."""
    first, second = people
    made = destroying.propose(actor=first, archive=archive, reason="kept no longer")
    rows = Destruction.objects.filter(pk=made.pk)
    with pytest.raises(UserError, match="yourself"):
        destroying.move(actor=first, rows=rows, name="confirm")
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic(), acting(None, "tests"):
        rows.update(status="confirmed", confirmed_by=first)
    with pytest.raises(Conflict):
        destroying.propose(actor=second, archive=archive, reason="again")
    assert destroying.carry_out() == 0 and default_storage.exists(archive.path)
    destroying.move(actor=second, rows=rows, name="withdraw", reason="An inquiry goes on.")
    assert list(destroying.waiting()) == [archive]


def test_what_is_kept_is_not_proposed(archive, people):
    """The longest of all authorities' years; none: for ever."""
    for value in (11, "none"):
        with acting(None, "tests"):
            RuleSet.objects.filter(key="kept_years_identity").update(value=value)
        with pytest.raises(UserError, match="still kept"):
            destroying.propose(actor=people[0], archive=archive, reason="too soon")
        assert list(destroying.waiting()) == []


def test_an_open_dispute_holds_it(sealed, archive, confirmed, monkeypatch):
    """While a party of its rows is in a dispute the file stays; afterwards it goes."""
    monkeypatch.setattr(destroying, "held_parties", lambda: {sealed.edc.pk})
    assert destroying.carry_out() == 0 and default_storage.exists(archive.path)
    monkeypatch.setattr(destroying, "held_parties", lambda: {sealed.edc2.pk})
    assert destroying.carry_out() == 1


def test_what_a_killed_run_left_is_destroyed_by_the_next(archive, confirmed, monkeypatch):
    monkeypatch.setattr(default_storage, "delete", lambda path: (_ for _ in ()).throw(OSError("killed")))
    with pytest.raises(OSError, match="killed"):
        destroying.carry_out()
    monkeypatch.undo()
    assert destroying.carry_out() == 1 and destroying.carry_out() == 0


def test_in_the_workplace(sealed, archive, people, client_of):
    first, second = map(client_of, people)
    page = "/admin/moc/destruction/"
    assert str(archive) in first.get(f"{page}add/").content.decode()
    first.post(f"{page}add/", {"archive": archive.pk, "reason": "kept no longer"})
    made = Destruction.objects.get()
    first.post(f"{page}{made.pk}/move/confirm/", {"confirmed": "yes"})
    made.refresh_from_db()
    assert made.status == "proposed"
    second.post(f"{page}{made.pk}/move/confirm/", {"confirmed": "yes"})
    made.refresh_from_db()
    assert (made.status, made.confirmed_by) == ("confirmed", people[1])
    destroying.carry_out()
    page = client_of(sealed.user("rerra", "auditor")).get(f"/admin/moc/archive/{archive.pk}/change/").content.decode()
    made.refresh_from_db()
    assert formats.localize(timezone.template_localtime(made.destroyed_at)) in page and people[0].email not in page
