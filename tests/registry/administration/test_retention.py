"""Retention: each class goes when its period is over; master records and history stay; within the regulator's bounds. N13."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.documents import services as documents
from moc.documents.models import Document
from moc.errors import UserError
from moc.history import acting
from moc.rulesets.models import RuleSet
from registry.administration.services import retention
from registry.ders.models import Der
from registry.submissions.models import Decision, Finding, StagedDer, UtilityReview
from registry.submissions.personal import StagedOwner
from registry.submissions.services import reviewing
from registry.utilities.models import Removal, RetentionPeriod
from tests.factories.filings import reviewed, row, store_in

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
DAYS = {"uploads": 1095, "findings": 365, "staged_rows": 1095, "evidence": 2190}  # the least that the shipped rule sets allow


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


def closed(world, n: int = 1) -> UtilityReview:
    """A decided review with an upload, a finding and evidence."""
    review = reviewed(world, [row(n, county_fips="34001"), row(n + 1)])
    with acting(None, "system: tests"):
        file = ContentFile(b"study", name="study.pdf")
        evidence = Document.objects.create(file=file, name="study.pdf", size=5, sha256="0" * 64, kind="evidence", owner=world.edc)
    rows = review.submission.rows.all()
    denied = reviewing.decide(
        actor=world.user("edc", "reviewer"),
        review=review,
        rows=rows.filter(row_number=3),
        kind="deny",
        reason_code="data_mismatch",
        evidence=evidence,
    )
    reviewing.confirm_denial(actor=world.user("edc", "approver"), decision=denied)
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=rows.filter(row_number=2), kind="approve")
    review.refresh_from_db()
    assert review.closed_at
    return review


def period(world, data_class: str, days: int | None = None, edc: str = "edc") -> RetentionPeriod:
    actor = world.user(edc, "administrator")
    return retention.set_period(
        actor=actor, edc=world.organizations[edc], data_class=data_class, days=days or DAYS[data_class], starts_on=TODAY
    )


def held(review: UtilityReview) -> dict[str, int]:
    documents = Document.objects.filter(removed_at=None)
    return {
        "uploads": documents.filter(pk=review.submission.document_id).count(),
        "findings": Finding.objects.filter(submission=review.submission).count(),
        "staged_rows": StagedDer.objects.filter(submission=review.submission).count(),
        "evidence": documents.filter(kind="evidence").count(),
    }


def later(days: int):
    return timezone.now() + timedelta(days=days)


@pytest.mark.parametrize("data_class", DAYS)
def test_each_class_goes_when_its_period_is_over(world, data_class, django_capture_on_commit_callbacks):
    """It goes, the other classes stay, a removal is written down, and a second sweep finds nothing; what is younger stays."""
    review = closed(world)
    period(world, data_class)
    before, der = held(review), Der.objects.get()
    versions = der.history.count()
    assert retention.enforce(later(DAYS[data_class] - 1)) == 0 and held(review) == before
    with django_capture_on_commit_callbacks(execute=True):
        assert retention.enforce(later(DAYS[data_class] + 1)) == before[data_class]
    gone = {"findings": 0} if data_class == "staged_rows" else {}
    assert held(review) == before | {data_class: 0} | gone
    removal = Removal.objects.get()
    assert (removal.edc, removal.data_class, removal.removed, removal.submission) == (
        world.edc,
        data_class,
        before[data_class],
        review.submission.uuid,
    )
    assert removal.history.get().history_change_reason.startswith("system: retention")
    assert retention.enforce(later(DAYS[data_class] + 2)) == 0
    assert Der.objects.get() == der and der.history.count() == versions, "the master record and its history are never removed"
    assert review.decisions.count() == 2


def test_files_are_gone_and_their_record_stays(world, django_capture_on_commit_callbacks, client_of):
    review = closed(world)
    document = review.submission.document
    period(world, "uploads")
    with django_capture_on_commit_callbacks(execute=True):
        retention.enforce(later(1200))
    document.refresh_from_db()
    assert document.removed_at and document.sha256 and not document.file.storage.exists(document.file.name)
    assert document.history.latest().history_change_reason.startswith("system: retention")
    assert client_of(world.user("aggregator", "filer")).get(f"/documents/{document.uuid}/").status_code == 404


def test_evidence_goes_in_all_its_versions_when_the_last_review_lets_it_go(world):
    """N11: no version is removed while a decision that is kept rests on one of them; then none is left behind."""
    period(world, "evidence")
    first, second = closed(world), closed(world, 3)
    study = first.decisions.get(kind="deny").evidence
    newer = documents.supersede(
        actor=world.user("edc", "reviewer"), document=study, upload=SimpleUploadedFile("new.pdf", b"%PDF-1.7 measured")
    )
    with acting(None, "system: tests"):
        Decision.objects.filter(review=second, kind="deny").update(evidence=newer)
        UtilityReview.objects.filter(pk=first.pk).update(closed_at=timezone.now() - timedelta(days=400))
    kept = Document.objects.versions_of(study).filter(removed_at=None)
    over = timezone.now() + timedelta(days=DAYS["evidence"])
    retention.enforce(over - timedelta(days=200))
    assert kept.count() == 2, "the second review is kept still"
    retention.enforce(over + timedelta(days=2))
    assert kept.count() == 0


def test_rows_go_with_their_owners(world):
    review = closed(world)
    period(world, "staged_rows")
    retention.enforce(later(1200))
    assert not StagedOwner.objects.exists() and not Finding.objects.filter(submission=review.submission).exists()


def test_nothing_goes_without_a_period_or_before_the_review_is_closed(world):
    open_review = reviewed(world, [row(5, county_fips="34001")])
    review = closed(world)
    before = held(review)
    assert retention.enforce(later(9_999)) == 0
    period(world, "findings")
    retention.enforce(later(9_999))
    assert held(review) == before | {"findings": 0}
    assert open_review.submission.findings.count() == 1


def test_a_period_is_only_for_its_own_utility(world):
    review = closed(world)
    before = held(review)
    for data_class in DAYS:
        period(world, data_class, edc="edc2")
    assert retention.enforce(later(9_999)) == 0 and held(review) == before


def test_a_file_for_two_utilities_goes_when_the_last_lets_it_go(world):
    other = row(3, utility_id_eia="963", usage_point_id="edc2-up-01")
    first = reviewed(world, [row(1), other])
    second = first.submission.reviews.get(edc=world.edc2)
    for review, edc in ((first, "edc"), (second, "edc2")):
        reviewing.decide(actor=world.user(edc, "reviewer"), review=review, rows=first.submission.rows.all(), kind="approve")
    period(world, "uploads", 1100)
    assert retention.enforce(later(1200)) == 0, "the other utility has no period: it keeps the file"
    period(world, "uploads", 1300, edc="edc2")
    assert retention.enforce(later(1200)) == 0, "and now keeps it longer"
    assert retention.enforce(later(1400)) == 1


def test_the_preview_counts_what_would_go(world):
    review = closed(world)
    with acting(None, "system: tests"):
        UtilityReview.objects.filter(pk=review.pk).update(closed_at=later(-500))
    actor = world.user("edc", "administrator")
    assert retention.preview(actor=actor, edc=world.edc, data_class="staged_rows", days=400) == (1, 2)
    assert retention.preview(actor=actor, edc=world.edc, data_class="staged_rows", days=600) == (0, 0)
    assert held(review)["staged_rows"] == 2


@pytest.mark.parametrize(("data_class", "days", "code"), [("findings", 364, "RETENTION-LEAST"), ("uploads", 3651, "RETENTION-MOST")])
def test_no_period_beyond_the_regulators_bounds(world, data_class, days, code):
    with pytest.raises(UserError) as refused:
        period(world, data_class, days)
    assert refused.value.code == code and not RetentionPeriod.objects.exists()


def test_the_regulators_own_row_comes_before_the_default(world):
    with acting(None, "system: tests"):
        RuleSet.objects.create(
            key="retention_least_days_findings", authority="rerra", value=700, valid_during=("2020-01-01", None), source="An order"
        )
    with pytest.raises(UserError, match="at least 700 days"):
        period(world, "findings", 400)
    assert period(world, "findings", 400, edc="edc2").days == 400, "another regulator's utility"


def test_a_new_period_ends_the_one_before(world):
    period(world, "findings", 400)
    period(world, "findings", 500)
    assert RetentionPeriod.objects.on(TODAY).get().days == 500 and RetentionPeriod.objects.count() == 2


def test_only_the_utilitys_administrator_sets_periods(world):
    for organization, role in (("edc", "approver"), ("edc2", "administrator"), ("operator", "administrator"), ("rerra", "administrator")):
        actor = world.user(organization, role)
        with pytest.raises(NotPermitted):
            retention.set_period(actor=actor, edc=world.edc, data_class="findings", days=400, starts_on=TODAY)
        with pytest.raises(NotPermitted):
            retention.preview(actor=actor, edc=world.edc, data_class="findings", days=400)
