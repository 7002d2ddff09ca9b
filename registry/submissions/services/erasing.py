"""Erase a customer: the records stay, and nobody can tell any more whose they were (N12)."""

from django.db.models import Q, QuerySet
from django.utils import timezone

from moc.access import policy
from moc.accesslog.models import AccessEntry
from moc.accesslog.services import note, note_all
from moc.documents import services as documents
from moc.documents.models import Document
from moc.errors import Conflict
from moc.history import acting
from moc.vault import services as vault
from registry.participants import services as participants
from registry.participants.models import DerOwner
from registry.rosters import services as rosters
from registry.submissions.models import Submission
from registry.submissions.personal import StagedOwner

BLANK = {"subject": None, "sealed": b"", "filled": 0, "account_index": None, "digest": None}


def erase_owner(*, actor, owner: DerOwner, reason: str) -> None:
    """Erase the customer behind an account with a utility, whoever filed it: registered, filed, in history, and in files.

    The keys are destroyed, so that versions in history, which nobody can change, and backups are noise; the blind indexes are
    blanked. Files in which the customer was filed are destroyed whole: their rows stand in the registry. The actor administers the
    utility.
    """
    policy.require(actor, "erase_personal", owner.edc)
    with acting(actor, f"Erased personal data: {reason}"):
        owner = DerOwner.objects.select_for_update(of=("self",)).get(pk=owner.pk)
        if owner.erased_at:
            raise Conflict("This customer was erased already.", "There is nothing left to erase.")
        note(**_entry(actor, owner, reason))
        rosters.forget(owner.edc_id, participants.opened(owner)["edc_account_no"])
        _erase(*_records_of(owner))


def anonymise(owners: QuerySet[DerOwner], reason: str) -> int:
    """Erase records of one utility's owners as `erase_owner` does, but only as these aggregators filed them; inside acting().

    For the end of a retention period: what another aggregator filed of the same customer has its own. Returns how many there were.
    """
    held = list(owners.select_for_update(of=("self",)).order_by("pk"))
    note_all(_entry(None, owner, reason) for owner in held)
    _erase(DerOwner.objects.filter(pk__in=[owner.pk for owner in held]), _filed_by_aggregator(held))
    return len(held)


def _erase(owners: QuerySet[DerOwner], staged: QuerySet[StagedOwner]) -> None:
    """Destroy keys and files, blank the indexes."""
    files = _files_of(staged)
    subjects = {*owners.values_list("subject", flat=True), *staged.values_list("subject", flat=True)}
    subjects |= set(DerOwner.history.model.objects.filter(id__in=owners.values("pk")).values_list("subject", flat=True))
    documents.destroy(files)
    StagedOwner.objects.filter(pk__in=list(staged.values_list("pk", flat=True))).update(**BLANK, flaws=0, earlier_index=None)
    DerOwner.objects.filter(pk__in=list(owners.values_list("pk", flat=True))).update(**BLANK, erased_at=timezone.now())
    vault.destroy(subject for subject in subjects if subject)


def _filed_by_aggregator(owners: list[DerOwner]) -> QuerySet[StagedOwner]:
    """What the aggregators of these owners, all of one utility, filed of the same accounts."""
    accounts: dict[tuple[int, int], set[str]] = {}
    for owner, values in zip(owners, vault.open_all(owners), strict=True):
        if values and values["edc_account_no"]:
            accounts.setdefault((owner.edc_id, owner.aggregator_id), set()).add(values["edc_account_no"])
    found = Q(pk__in=[])
    for (edc, aggregator), known in accounts.items():
        rings = [*vault.rings([edc]).values(), *vault.former_rings([edc]).values()]
        at_edc = [participants.account_index(ring, account) for ring in rings for account in known]
        own = [participants.account_index(vault.ring_of(aggregator), account) for account in known]
        found |= Q(row__aggregator=aggregator, row__edc=edc) & (Q(account_index__in=at_edc) | Q(earlier_index__in=at_edc))
        found |= Q(row__aggregator=aggregator, row__edc=None, account_index__in=own)
    return StagedOwner.objects.filter(found)


def _records_of(owner: DerOwner) -> tuple[QuerySet[DerOwner], QuerySet[StagedOwner]]:
    """The registered and the filed owners with the same account at the utility. While a key rotates, both of its indexes are asked."""
    account = participants.opened(owner)["edc_account_no"]
    rings = [*vault.rings([owner.edc_id]).values(), *vault.former_rings([owner.edc_id]).values()]
    indexes = [participants.account_index(ring, account) for ring in rings] if account else []
    owners = DerOwner.objects.filter(Q(edc=owner.edc_id, account_index__in=indexes) | Q(pk=owner.pk))
    filed = Q(row__edc=owner.edc_id, account_index__in=indexes) | Q(row__edc=owner.edc_id, earlier_index__in=indexes)
    for aggregator in set(owners.values_list("aggregator_id", flat=True)):  # rows that name no utility yet are sealed for the aggregator
        own = [participants.account_index(ring, account) for ring in vault.rings([aggregator]).values()]
        filed |= Q(row__aggregator=aggregator, row__edc=None, account_index__in=own)
    return owners, StagedOwner.objects.filter(filed)


def _files_of(staged: QuerySet[StagedOwner]) -> list[Document]:
    """The uploaded files of the submissions in which the customer was filed, corrected ones too."""
    submissions = set(staged.values_list("row__submission_id", flat=True))
    known = Submission.history.model.objects.filter(id__in=submissions).values_list("document_id", flat=True)
    return list(Document.objects.filter(pk__in=set(known) - {None}, kind=Document.Kind.UPLOAD))


def _entry(actor, owner: DerOwner, reason: str) -> dict:
    return {
        "actor": actor,
        "holder": owner.edc_id,
        "filed_by": owner.aggregator_id,
        "record": str(owner._meta.verbose_name),
        "subject": owner.subject,
        "columns": owner.personal,
        "purpose": AccessEntry.Purpose.ERASURE,
        "text": reason,
    }
