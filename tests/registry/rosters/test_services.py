"""Programme rosters and the registry are matched as sets: R6, ¶159, ¶160."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from moc.vault.models import DataKey, SubjectKey
from moc.vault.services import open_all
from registry.ders.models import Der
from registry.rosters import services
from registry.rosters.models import Roster, RosterEntry, RosterFinding, RosterSheet
from registry.submissions.services import erasing
from tests.factories import ders as making
from tests.factories.filings import reviewed, row, store_in
from tests.factories.personal import registered_owner
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db


def der(world, number: int, programs: list[str], edc: str = "edc") -> Der:
    """A DER behind the account A-<number>."""
    owner = registered_owner(world.aggregator, world.organizations[edc], edc_account_no=f"A-{number}")
    return making.register(world, 1, edc=edc, prefix=f"R{number}{edc}", owner=owner, retail_programs=programs)[0]


def give(world, *accounts: str, program: str = "NEM", edc: str = "edc") -> Roster:
    utility = world.organizations[edc]
    return services.give(actor=world.user(edc, "administrator"), edc=utility, program=program, accounts=accounts)


def found() -> set[tuple[int, str, str]]:
    return set(RosterFinding.objects.values_list("der_id", "program", "code"))


def raw(*tables: str) -> set[str]:
    """Every row of the tables as text, with its bytes in hexadecimal."""
    rows = set()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            rows |= {text for (text,) in cursor.fetchall()}
    return rows


def test_what_a_roster_knows_and_the_filing_does_not_and_the_other_way_round(world):
    silent, boasting = der(world, 1, []), der(world, 2, ["NEM", "TOU"])
    der(world, 3, ["NEM"]), der(world, 4, [])
    foreign = der(world, 1, [], edc="edc2")
    give(world, "A-1", " A-3 ")
    assert found() == {(silent.pk, "NEM", "ROSTER-UNDECLARED"), (boasting.pk, "NEM", "ROSTER-ABSENT")}
    assert not RosterFinding.objects.filter(der=foreign).exists()


def test_a_difference_goes_by_itself_and_one_that_stays_keeps_its_moment(world):
    silent, other = der(world, 1, []), der(world, 2, [])
    give(world, "A-1", "A-2")
    before = RosterFinding.objects.get(der=silent).found_at
    with acting(None, REASON):
        Der.objects.filter(pk=other.pk).update(retail_programs=["NEM"])
    assert services.match() == 0
    assert RosterFinding.objects.get().found_at == before
    give(world, "A-2")
    assert found() == set()


def test_a_programme_without_a_roster_is_not_asked_about(world):
    der(world, 1, ["TOU"])
    give(world, "A-9")
    assert found() == set()


def test_a_roster_takes_the_place_of_the_one_before_and_holds_no_account_number(world):
    give(world, "A-1", "A-2")
    roster = give(world, "A-2", "A-2", "")
    assert (Roster.objects.count(), roster.account_count, RosterEntry.objects.count()) == (1, 1, 1)
    assert b"A-2" not in bytes(RosterEntry.objects.get().account_index)


def test_only_the_utilitys_administrators_give_its_roster(world):
    for actor in (world.user("edc", "reviewer"), world.user("edc2", "administrator"), world.user("aggregator", "administrator")):
        with pytest.raises(NotPermitted):
            services.give(actor=actor, edc=world.edc, program="NEM", accounts=["A-1"])
    assert not Roster.objects.exists()


@pytest.mark.parametrize(
    ("content", "code"), [(b"edc_account_no;x\n1;2", "ROSTER-COLUMN"), (b"a,b\n1,2", "ROSTER-COLUMN"), (b"\xff\xfe\x00", "ROSTER-FILE")]
)
def test_another_file_is_refused(content, code):
    with pytest.raises(UserError) as refused:
        services.read(SimpleUploadedFile("roster.csv", content))
    assert refused.value.code == code


def test_a_file_is_read_by_its_column():
    file = SimpleUploadedFile("roster.csv", "\ufeffName,Account number\nAnn, A-1\nBob,\n".encode())
    assert services.read(file) == ["A-1"]


def test_the_review_page_tells_what_differs(world, settings, tmp_path, client_of):
    """The rows of a filing are compared before they are decided."""
    store_in(settings, tmp_path)
    review = reviewed(world, [row(1, retail_programs=""), row(2), row(3, retail_programs="")])
    give(world, "100001", "100002")
    count, first = services.of_review(review.submission_id, review.edc_id)
    assert (count, [(each.row_number, each.program, each.rule.code) for each in first]) == (1, [(2, "NEM", "ROSTER-UNDECLARED")])
    page = client_of(world.user("edc", "reviewer")).get(f"/registry/reviews/{review.uuid}/").content.decode()
    assert "Programme rosters differ on 1 row<" in page and "in a programme of the utility that the filing does not name" in page


def test_a_match_costs_the_same_statements_whatever_its_size(world, django_assert_max_num_queries):
    der(world, 1, [])
    give(world, "A-1")
    with django_assert_max_num_queries(12):
        services.match()
    assert RosterFinding.objects.get().found_at <= timezone.now()


@pytest.mark.django_db(transaction=True)
def test_a_roster_is_matched_by_the_utilitys_next_key_too(world):
    """N12: the rotation indexes it anew, with progress; no table holds an account number, and the former index is gone."""
    silent, boasting = der(world, 7701, []), der(world, 7702, ["NEM"])
    give(world, "A-7701", "A-7703")
    before = raw("registry_rosterentry", "registry_rostersheet")
    said = io.StringIO()
    call_command("rotate_keys", "edc", stdout=said)
    after = raw("registry_rosterentry", "registry_rostersheet")
    assert said.getvalue().count("keys and indexes") == 3, "keys of subjects, owners and the roster"
    current = DataKey.objects.get(organization=world.edc, is_current=True)
    assert {entry.data_key_id for entry in RosterEntry.objects.all()} == {current.pk} and not before & after
    assert not [row for row in before | after if "A-770" in row or b"A-770".hex() in row]
    assert services.match() == 0 and found() == {(silent.pk, "NEM", "ROSTER-UNDECLARED"), (boasting.pk, "NEM", "ROSTER-ABSENT")}
    der(world, 7703, [])
    assert services.match() == 1, "an account of the roster that nobody had filed when the key was replaced"


def test_who_is_erased_leaves_the_rosters_and_their_ciphertext(world):
    """N12: the roster's key is another one afterwards, so that copies of the former ciphertext are noise."""
    gone = der(world, 1, ["NEM"])
    give(world, "A-1", "A-2"), give(world, "A-1", program="DR")
    keys = set(RosterSheet.objects.values_list("subject", flat=True))
    erasing.erase_owner(actor=world.user("edc", "administrator"), owner=gone.owner, reason="Asked for it")
    assert not SubjectKey.objects.filter(pk__in=keys).exists() and RosterEntry.objects.count() == 1
    kept = [json.loads(each["accounts"]) for each in open_all(RosterSheet.objects.order_by("pk"))]
    assert kept == [["A-2"], []]
