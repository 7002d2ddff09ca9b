"""The aggregator's verbs: draft, upload, mend, attest and submit, answer (R1, ¶292)."""

import hashlib
from collections.abc import Callable, Mapping

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Max
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.documents.models import Document
from moc.documents.services import store
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.intervals import business_days_after, end_of_day_after
from moc.jobs import services as jobs
from moc.notices.services import tell
from moc.rules import ERROR
from moc.rulesets.models import RuleSet
from moc.units import counted
from registry.aggregators.services import standing
from registry.ders.dictionary import FIELDS, PERSONAL
from registry.ders.models import Der, DerFacts
from registry.ders.services.tenures import hold
from registry.grid.models import ServicePoint
from registry.participants import services as participants
from registry.participants.models import UtilityProfile
from registry.submissions.kinds import MEMBERSHIP, TERMS, Kind
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.reports import last_day
from registry.submissions.rules import tenure_over
from registry.submissions.services import classifying, deadlines, locks, members, regulators, reviewing, staging, switches
from registry.submissions.services.owners import file_owner
from registry.submissions.services.practice import reviewer_for

Status, Source = Submission.Status, Submission.Source
EDITABLE = (Status.DRAFT, Status.RETURNED)
CHECK_HOLDS = timezone.timedelta(minutes=10)


def create_draft(*, actor, aggregator: Organization, title: str, source: str = Source.FORM) -> Submission:
    """An empty draft to which rows are added by form."""
    policy.require(actor, "file_ders", aggregator)
    with acting(actor, "Started a draft"):
        return Submission.objects.create(aggregator=aggregator, source=source, title=title[:200], created_by=actor)


def receive_file(
    *,
    actor,
    aggregator: Organization,
    upload,
    title: str = "",
    source: str = Source.FILE,
    idempotency_key: str = "",
    submission: Submission | None = None,
) -> Submission:
    """Keep an uploaded file and have it read in the background; returns the submission, whose `job` shows progress.

    With `submission` the file corrects that draft: its rows replace those with the same external_id. The same idempotency key gives
    the submission that it made first.
    """
    policy.require(actor, "file_ders", aggregator)
    known = Submission.objects.filter(aggregator=aggregator, idempotency_key=idempotency_key).first() if idempotency_key else None
    if known:
        return known
    with acting(actor, f"Uploaded {upload.name}"):
        document = store(actor=actor, owner=aggregator, kind=Document.Kind.UPLOAD, upload=upload)
        if submission is None:
            try:
                with transaction.atomic():
                    submission = _new_from_file(actor, aggregator, document, title, source, idempotency_key)
            except IntegrityError as error:
                raise Conflict(
                    "The same idempotency key is being used by another request.", "Repeat the request to get its result."
                ) from error
        else:
            submission = locks.submission_of(submission)
            _takes_facts(submission)
            Submission.lifecycle.move(Submission.objects.filter(pk=submission.pk), "stage", actor=actor, document=document)
        submission.job = jobs.enqueue(
            actor=actor, task="registry.submissions.tasks.stage", title=f"Reading {document.name}", submission=submission.pk
        )
        submission.save(update_fields=["job"])
    submission.refresh_from_db()
    return submission


def _new_from_file(actor, aggregator, document, title, source, idempotency_key) -> Submission:
    return Submission.objects.create(
        aggregator=aggregator,
        source=source,
        title=(title or document.name)[:200],
        status=Status.STAGING,
        document=document,
        idempotency_key=idempotency_key,
        created_by=actor,
    )


def _editable(submission: Submission) -> None:
    if submission.status not in EDITABLE:
        raise Conflict(
            f"The submission is {submission.get_status_display().lower()}.", "Only a draft can be changed; start another submission."
        )


def _takes_facts(submission: Submission) -> None:
    """Raise Conflict for what is no draft, and for a draft whose rows only name DERs: to change their facts had no effect."""
    _editable(submission)
    if not TERMS[submission.kind].facts:
        label = submission.get_kind_display()
        raise Conflict(f"{label}: this filing changes no facts.", "File them as a modification.", "FILING-WITHOUT-FACTS")


def save_row(
    *, actor, submission: Submission, values: Mapping[str, object], row: StagedDer | None = None, meant: Callable | None = None
) -> StagedDer:
    """Add a row to a draft, or change one, and check it again. `values` are clean values by filing column; absent ones keep theirs,

    those of a new row the values of the record that it changes, as columns do that a file lacks. `meant(row)` is asked under the
    row's lock whether it is still the one that the user saw; it raises if not.
    """
    policy.require(actor, "file_ders", submission.aggregator)
    with acting(actor, "Changed a row"):
        submission = locks.submission_of(submission)
        _takes_facts(submission)
        filed = dict(values)
        if row is None:
            row, kept = _new_row(submission, str(values.get("external_id", "")))
            filed = kept | filed
        else:
            row = locks.row_of(submission, row)
            if meant:
                meant(row)
        owner = _personal(getattr(row, "owner", None)) | {name: filed[name] or "" for name in PERSONAL if name in filed}
        holder = row.edc_id
        for name, value in values.items():
            if name in FIELDS and name not in PERSONAL:
                setattr(row, name, _empty(StagedDer, name) if value is None else value)
        _resolve(row)
        row.save()
        if row.edc_id != holder or any(name in filed for name in PERSONAL):
            _save_owner(row, owner)
        staging.check_rows(StagedDer.objects.filter(pk=row.pk), mended=tuple(values))
        _touched(submission)
    return row


def _save_owner(row: StagedDer, personal: dict[str, str]) -> None:
    """The personal columns, sealed for the row's utility; what differs from the record only in them is a change nevertheless."""
    owner = file_owner(row, personal)
    registered = row.der.owner.digest if row.der and row.der.owner else None
    if row.change == StagedDer.Change.UNCHANGED and owner.digest != registered:
        row.change = StagedDer.Change.CHANGED
        row.save(update_fields=["change"])


def _personal(owner) -> dict[str, str]:
    """What is filed already, opened: it is sealed again with what changes."""
    return participants.opened(owner) if owner else dict.fromkeys(PERSONAL, "")


def _new_row(submission: Submission, external_id: str) -> tuple[StagedDer, dict[str, str]]:
    """A row at the end of a draft, and the owner's columns that it starts from: those of the record that it changes."""
    top = StagedDer.objects.filter(submission=submission).aggregate(top=Max("row_number"))["top"] or 0
    row = StagedDer(submission=submission, aggregator_id=submission.aggregator_id, row_number=top + 1)
    record = Der.objects.select_related("owner").filter(aggregator_id=submission.aggregator_id, external_id=external_id).first()
    if record:
        for field in DerFacts._meta.get_fields():
            setattr(row, field.attname, getattr(record, field.attname))
    return row, _personal(record.owner) if record and record.owner else {}


def _empty(model, name: str):
    field = model._meta.get_field(name)
    return None if field.null else field.get_default()


def _resolve(row: StagedDer) -> None:
    """What a row's ids mean: utility, service point, and the record it would change."""
    profile = UtilityProfile.objects.filter(eia_id=row.utility_id_eia).first() if row.utility_id_eia else None
    row.edc_id = profile.edc_id if profile else None
    point = ServicePoint.objects.filter(edc_id=row.edc_id, usage_point_id=row.usage_point_id).first() if profile else None
    row.service_point_id = point.pk if point else None
    record = Der.objects.filter(aggregator_id=row.aggregator_id, external_id=row.external_id).first()
    row.der = record
    facts = [field.attname for field in Der._meta.concrete_fields if field.name in FIELDS]
    same = record and record.service_point_id == row.service_point_id and all(getattr(record, name) == getattr(row, name) for name in facts)
    row.change = StagedDer.Change.UNCHANGED if same else StagedDer.Change.CHANGED if record else StagedDer.Change.NEW


def remove_row(*, actor, row: StagedDer, meant: Callable | None = None) -> None:
    """Take a row out of a draft; `meant` as in `save_row`."""
    policy.require(actor, "file_ders", row.submission.aggregator)
    with acting(actor, "Removed a row"):
        submission = locks.submission_of(row.submission)
        _editable(submission)
        row = locks.row_of(submission, row)
        if meant:
            meant(row)
        row.delete()
        _touched(submission)


def _touched(submission: Submission) -> None:
    """The findings over several rows (duplicates) are to be made again before submission."""
    Submission.objects.filter(pk=submission.pk).update(checked_at=None, row_count=StagedDer.objects.filter(submission=submission).count())


def attestation() -> tuple[str, str, str]:
    """Version, text and SHA-256 of the attestation in force (¶352)."""
    value = RuleSet.objects.value_of("registration_attestation", timezone.localdate())
    return value["version"], value["text"], hashlib.sha256(value["text"].encode()).hexdigest()


def submit(*, actor, submission: Submission, attestation_version: str, only_good: bool = False) -> Submission:
    """Attest and submit: completeness is checked by the rules, the good rows go to their utilities, and each review's clock starts.

    Rows with errors refuse the whole submission, unless `only_good`: then they stay behind in a new draft.
    """
    policy.require(actor, "submit_ders", submission.aggregator)
    with acting(actor, f"Attested ({attestation_version}) and submitted"):
        submission = locks.submission_of(submission)
        _editable(submission)
        version, _, digest = attestation()
        if attestation_version != version:
            raise UserError(f"The attestation in force is version {version}.", "Read it again and accept it.", "ATTESTATION")
        parties = StagedDer.objects.filter(submission=submission, edc__isnull=False).order_by().values_list("edc_id", flat=True)
        market = submission.aggregation.tso_id if submission.kind == Kind.ADD else None
        standing.require(submission.aggregator, edcs=set(parties.distinct()), tso=market)
        hold([submission.aggregator_id])
        stale = submission.kind != Kind.SWITCH and tenure_over(StagedDer.objects.filter(submission=submission)).exists()
        if submission.checked_at is None or stale:
            staging.check(submission)
        _leave_bad_rows(actor, submission, only_good)
        _hand_in(actor, submission, version, digest)
        if _complete(submission):
            _start_reviews(submission)
    submission.refresh_from_db()
    return submission


def _leave_bad_rows(actor, submission: Submission, only_good: bool) -> None:
    rows = StagedDer.objects.filter(submission=submission)
    count = submission.findings.filter(severity=ERROR).aggregate(rows=Count("row", distinct=True))["rows"]
    if count and not only_good:
        raise UserError(f"{count} rows have errors.", "Mend them, or submit only the good rows.", "ROWS-WITH-ERRORS")
    if count == rows.count():
        raise UserError("There is no row without errors.", "Mend the rows; each finding says how.", "NO-GOOD-ROWS")
    if count:
        rest = create_draft(
            actor=actor, aggregator=submission.aggregator, title=f"{submission.title}, rows to mend"[:200], source=submission.source
        )
        Submission.objects.filter(pk=rest.pk).update(
            continues=submission, document=submission.document, sheet=submission.sheet, row_count=count, checked_at=submission.checked_at
        )
        submission.findings.filter(row__in=rows.bad().values("pk")).update(submission=rest)
        rows.filter(findings__submission=rest).update(submission=rest)


def _hand_in(actor, submission: Submission, version: str, digest: str) -> None:
    now, today = timezone.now(), timezone.localdate()
    due = business_days_after(now, RuleSet.objects.value_of("completeness_business_days", today), settings.TIME_ZONE)
    move = "resubmit" if submission.status == Status.RETURNED else "submit"
    Submission.lifecycle.move(
        Submission.objects.filter(pk=submission.pk),
        move,
        actor=actor,
        submitted_by=actor,
        submitted_at=now,
        attestation_version=version,
        attestation_sha256=digest,
        completeness_due_at=due,
        row_count=StagedDer.objects.filter(submission=submission).count(),
    )


def _complete(submission: Submission) -> bool:
    """The completeness check: the registry may have grown since the draft was checked. A filing that now has errors is returned."""
    if submission.checked_at is None or submission.checked_at < timezone.now() - CHECK_HOLDS:
        staging.check(submission)
    bad = StagedDer.objects.filter(submission=submission).bad().count()
    if bad:
        deadlines.return_incomplete(submission=submission, reason=f"{bad} rows have errors that they did not have when they were drafted")
    return not bad


def _start_reviews(submission: Submission) -> None:
    """The rules have found the submission complete: one review per utility, each with its own clock."""
    found = Submission.objects.filter(pk=submission.pk)
    Submission.lifecycle.move(found, "find_complete", actor=None, reason="system: all rows passed the rules")
    submission.refresh_from_db()  # who handed it in is the author of what is effective without a review
    classifying.classify(submission)
    if submission.kind in MEMBERSHIP:
        members.handed_in(submission)
    counts = StagedDer.objects.filter(submission=submission).to_review().order_by().values_list("edc_id").annotate(Count("pk"))
    for edc, count in counts:
        review = _review(submission, Organization.objects.select_related("utility__tso").get(pk=edc), count)
        tell(
            review.edc,
            "review_ders",
            event="review_started",
            subject=f"{counted(count, 'DERs')} of {submission.aggregator} to review by {last_day(review.due_at)}",
            url=f"/registry/reviews/{review.uuid}/",
            review=review,
        )
        regulators.tell_of(review)
        if review.scope != UtilityReview.Scope.CHANGED:
            classifying.add_neighbours(review)
        if submission.kind == Kind.SWITCH:
            switches.warn_holders(review)
        reviewing.take_note(review)
    if not counts:
        Submission.lifecycle.move(found, "complete", actor=None, reason="system: nothing differs from the registry")


def _review(submission: Submission, edc: Organization, count: int) -> UtilityReview:
    market = classifying.market_of(edc)
    now, today = timezone.now(), timezone.localdate()
    clock = RuleSet.objects.row_of(TERMS[submission.kind].clock, today, market)
    return UtilityReview.objects.create(
        submission=submission,
        edc=edc,
        aggregator=submission.aggregator,
        row_count=count,
        started_at=now,
        due_at=end_of_day_after(now, clock.value, settings.TIME_ZONE),
        clock_rule=clock,
        pauses_clock=RuleSet.objects.value_of("info_request_pauses_clock", today, market),
        assigned_to=reviewer_for(edc),
        scope=classifying.first_scope(submission, edc),
    )


def answer(*, actor, decision: Decision, text: str) -> Decision:
    """Answer a utility's request for information: its rows are open again, and a paused clock runs on."""
    policy.require(actor, "file_ders", decision.review.aggregator)
    if not text.strip():
        raise UserError("The answer is empty.", "Write what the utility asked for.", "ANSWER")
    with acting(actor, f"Answered: {text}"[:300]):
        decision = locks.decision_of(decision)
        review = decision.review
        if decision.status != Decision.Status.EFFECTIVE or decision.kind != Decision.Kind.REQUEST_INFO:
            raise Conflict("This request is answered already.", "Reload the page.")
        asked = StagedDer.objects.of_review(review).filter(decision=decision, status=StagedDer.Status.INFO_REQUESTED)
        if not asked.exists():
            raise Conflict("The utility has decided these DERs meanwhile.", "Reload the page; no answer is needed any more.")
        Decision.lifecycle.move(Decision.objects.filter(pk=decision.pk), "answer", actor=actor, answer=text)
        StagedDer.lifecycle.move(asked, "answer", actor=actor)
        if not StagedDer.objects.of_review(review).filter(status=StagedDer.Status.INFO_REQUESTED).exists():
            deadlines.resume(review)
        tell(
            review.edc,
            "review_ders",
            event="answered",
            author=actor,
            subject=f"{review.aggregator} answered",
            url=f"/registry/reviews/{review.uuid}/",
            decision=decision,
            answer=text,
        )
    decision.refresh_from_db()
    return decision


def cancel_reading(*, actor, submission: Submission) -> None:
    """Stop reading a file; nothing of it is kept but the document. Raises Conflict when it is read already."""
    policy.require(actor, "file_ders", submission.aggregator)
    if submission.job is None:
        raise Conflict("No file of this filing is being read.", "Reload the page.")
    jobs.cancel(actor=None, job=submission.job)
