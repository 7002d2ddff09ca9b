"""Evidence has versions (N11): a newer one beside the older, both read through permission; a record names the one it rests on."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from moc.access import policy
from moc.documents import content, services
from moc.documents.models import Document
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.models import Notice
from registry.submissions.models import Decision
from registry.submissions.services import reviewing
from tests.factories.filings import reviewed, row

pytestmark = pytest.mark.django_db
OLD, NEW = b"%PDF-1.7 as estimated", b"%PDF-1.7 as measured"


def upload(data: bytes, name: str = "study.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "application/pdf")


@pytest.fixture
def reviewer(world):
    return world.user("edc", "reviewer")


@pytest.fixture
def first(world, reviewer) -> Document:
    facts = {"owner": world.edc, "kind": "evidence", "counterparty": world.aggregator}
    return services.store(actor=reviewer, **facts, upload=upload(OLD))


@pytest.fixture
def denied(world, reviewer, first) -> Decision:
    review = reviewed(world, [row(1)])
    facts = {"kind": Decision.Kind.DENY, "reason_code": "data_mismatch", "statement": "Another inverter", "evidence": first}
    return reviewing.decide(actor=reviewer, review=review, rows=review.submission.rows.all(), **facts)


def test_a_newer_version_stands_beside_the_older(world, reviewer, first):
    second = services.supersede(actor=reviewer, document=first, upload=upload(NEW, "study-2.pdf"))
    third = services.supersede(actor=reviewer, document=second, upload=upload(OLD, "study-3.pdf"))
    assert [(each.version, each.first_id) for each in (second, third)] == [(2, first.pk), (3, first.pk)]
    assert (third.owner, third.counterparty, third.name) == (world.edc, world.aggregator, "study-3.pdf")
    for one in (first, second):
        one.refresh_from_db()
        assert one.superseded_at is not None
    assert [b"".join(services.plain(each)) for each in (first, second, third)] == [OLD, NEW, OLD]
    assert list(Document.objects.versions_of(second)) == [third, second, first]
    version = first.history.first()
    assert (version.history_user, version.history_change_reason) == (reviewer, "Superseded by a newer version: study-2.pdf")


def test_the_other_party_is_told_and_the_own_is_not(world, reviewer, first):
    """N10: one event for those who handle evidence there."""
    services.supersede(actor=reviewer, document=first, upload=upload(NEW))
    told = set(Notice.objects.filter(event="evidence_superseded").values_list("user", flat=True))
    assert told == set(policy.holders(services.PERMISSION, world.aggregator).values_list("pk", flat=True))
    assert world.user("aggregator", "filer").pk in told and not told & {reviewer.pk, world.user("aggregator", "viewer").pk}


def test_both_are_read_by_the_same_people_and_nobody_else(world, reviewer, first, client_of):
    second = services.supersede(actor=reviewer, document=first, upload=upload(NEW))
    for key in ("aggregator", "aggregator2", "edc", "edc2", "tso", "rerra"):
        user = world.user(key, "viewer")
        expected = 200 if key in {"aggregator", "edc", "tso", "rerra"} else 404
        for one in (first, second):
            for page in (f"/documents/{one.uuid}/", f"/documents/{one.uuid}/versions/", f"/api/v1/documents/{one.uuid}/versions/"):
                assert client_of(user).get(page).status_code == expected, (key, page)


def test_what_is_refused_leaves_everything_as_it_was(world, reviewer, first):
    grid = services.store(actor=reviewer, owner=world.edc, kind="grid", upload=ContentFile(b"x", name="grid.csv"))
    second = services.supersede(actor=reviewer, document=first, upload=upload(NEW))
    before = list(Document.objects.order_by("pk").values())
    for actor in (world.user("edc", "viewer"), world.user("aggregator", "approver"), world.user("edc2", "reviewer")):
        with pytest.raises(policy.NotPermitted):
            services.supersede(actor=actor, document=second, upload=upload(b"%PDF-1.7 forged"))
    refusals = [
        (UserError, "DOCUMENT-VERSIONS", grid, b"%PDF-1.7 x"),
        (Conflict, "DOCUMENT-SUPERSEDED", first, b"%PDF-1.7 x"),
        (Conflict, "DOCUMENT-SAME", second, NEW),
        (content.Unfit, content.Unfit.code, second, b"MZ\x90\x00"),
    ]
    for kind, code, document, data in refusals:
        with pytest.raises(kind) as refused:
            services.supersede(actor=reviewer, document=document, upload=upload(data))
        assert refused.value.code == code
    assert list(Document.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("facts", [{"version": 3}, {"first": True}, {"first": True, "version": 2, "kind": "grid"}])
def test_the_database_refuses_a_version_of_nothing(world, reviewer, first, facts):
    if "first" in facts:
        facts = facts | {"first": first}
    with pytest.raises(IntegrityError), transaction.atomic():
        services.store(actor=reviewer, owner=world.edc, upload=upload(NEW), **{"kind": "evidence"} | facts)


def test_the_decision_goes_on_to_rest_on_the_version_that_it_was_made_with(world, reviewer, first, denied, client_of):
    """¶292, ¶297: what was shown when the DER was denied is what can be read years later."""
    second = services.supersede(actor=reviewer, document=first, upload=upload(NEW, "study-2.pdf"))
    denied.refresh_from_db()
    assert denied.evidence == first
    client = client_of(reviewer)
    page = client.get(f"/documents/{second.uuid}/versions/").content.decode()
    assert page.count("Decision: ") == 1
    assert page.index("study-2.pdf</a>") < page.index(">study.pdf</a>") < page.index("Decision: "), "under the older one"
    review = client.get(f"/registry/reviews/{denied.review.uuid}/").content.decode()
    assert f"/documents/{first.uuid}/versions/" in review and "version 1, superseded since" in review
    for one in (first, second):
        with pytest.raises(ProtectedError), acting(None, "system: test"):
            first.delete()
        assert Document.objects.filter(pk=one.pk).exists()


def test_the_page_asks_as_much_for_many_versions_as_for_one(world, reviewer, first, denied, client_of, django_assert_max_num_queries):
    latest = first
    for number in range(5):
        latest = services.supersede(actor=reviewer, document=latest, upload=upload(NEW + bytes([65 + number])))
    with django_assert_max_num_queries(60) as asked:
        client_of(reviewer).get(f"/documents/{first.uuid}/versions/")
    many = len(asked)
    other = services.store(actor=reviewer, owner=world.edc, kind="evidence", upload=upload(b"%PDF-1.7 other"))
    with django_assert_max_num_queries(60) as asked:
        client_of(reviewer).get(f"/documents/{other.uuid}/versions/")
    assert many <= len(asked) + 2, "the review of the one decision"


def test_by_form(world, reviewer, first, client_of):
    client, page = client_of(reviewer), f"/documents/{first.uuid}/versions/new/"
    assert f'href="{page}"' in client.get(f"/documents/{first.uuid}/versions/").content.decode()
    assert client.post(page, {"file": upload(b"MZ\x90\x00", "study.pdf")}).status_code == 422
    response = client.post(page, {"file": upload(NEW)})
    second = Document.objects.get(version=2)
    assert response.url == f"/documents/{second.uuid}/versions/"
    assert f"{page}" not in client.get(f"/documents/{first.uuid}/versions/").content.decode()
    assert client.get(f"/documents/{second.uuid}/versions/").content.decode().count("the latest") == 1


def test_by_api(world, reviewer, first, denied, client_of):
    client, place = client_of(reviewer), f"/api/v1/documents/{first.uuid}/versions/"
    made = client.post(place, {"file": upload(NEW)})
    assert made.status_code == 201 and made.json()["version"] == 2 and made.json()["first"] == str(first.uuid)
    listed = client.get(place).json()
    assert [(one["version"], one["superseded_at"] is None) for one in listed] == [(2, True), (1, False)]
    again = client.post(place, {"file": upload(NEW)})
    assert (again.status_code, again.json()["code"]) == (409, "DOCUMENT-SUPERSEDED")
    number = denied.review.submission.rows.get().row_number
    wanted = {"kind": "deny", "reason_code": "data_mismatch", "statement": "x", "evidence": str(first.uuid)} | {"rows": [number]}
    refused = client.post(f"/api/v1/registry/reviews/{denied.review.uuid}/decisions/", wanted, content_type="application/json")
    assert refused.status_code == 400 and "Name the latest version" in refused.content.decode()
