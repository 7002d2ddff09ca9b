"""Load the demonstration state through the same services as everybody: parties and grid, then filings, reviews and decisions.

Each step is idempotent, so that a load that was killed goes on where it stopped.
"""

import csv
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import TextIO

from django.core.files import File
from django.core.files.base import ContentFile

from moc.access import policy
from moc.access.models import Organization, Oversight, User
from moc.demo import generate, inverters, load_grid, newjersey
from moc.demo.disputes import dispute
from moc.demo.happenings import happenings
from moc.demo.meters import meters
from moc.demo.networks import envelopes, networks
from moc.demo.parties import AGGREGATORS, UTILITIES, oversight, parties
from moc.demo.people import address, load_people
from moc.demo.readings import readings
from moc.demo.register import register
from moc.demo.studies import studies
from moc.documents.models import Document
from moc.documents.services import store
from moc.history import acting
from moc.public.models import Publication
from moc.public.services import publish
from moc.rulesets import services as rulesets
from moc.seals.services import seal
from operations.forecasts.models import MeterDay
from operations.network.models import NetworkVersion
from operations.telemetry.models import Reading
from registry.catalogue import services as catalogue
from registry.ders.dictionary import FIELDS
from registry.participants.models import UtilityProfile
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.services import filing, reviewing
from registry.submissions.tasks import stage

REASON = "system: load_demo"
HELD_BACK, IN_DRAFT = 60, 12  # illustrative rows of each utility that stay under review, and in a draft
STORY_UTILITY = "JCPL"
FAULTS = ({"nameplate_ac_kw": "7,6 kW"}, {"commissioned_on": "2023-02-30"}, {"usage_point_id": "UP-UNKNOWN"}, {"approved_export_kw": "-5"})
Report = Callable[[str, float], None]


def load(report: Report) -> None:
    """Load everything; `report(step, share done)` is called as it goes."""
    rulesets.load()
    catalogue.load()
    with acting(None, REASON):
        organizations = _organizations()
        load_people(organizations)
        register(organizations)
        report("Parties", 0.02)
        points = load_grid.elements(organizations)
        report("Grid", 0.08)
    load_grid.points(organizations, points, report)
    _filings(organizations, report)
    report("Networks, meter data and envelopes", 0.99)
    networks(organizations)
    studies(organizations)
    if not MeterDay.objects.exists():
        meters()
    envelopes(organizations)
    report("A day of readings", 0.995)
    _happened(organizations)
    if not Publication.objects.exists():
        publish()
    seal()
    report("Done", 1.0)


def catch_up() -> None:
    """What a state that was loaded by an earlier release lacks: rules, services, networks with studies, meter data and envelopes, a day of
    readings."""
    rulesets.load()
    catalogue.load()
    by_slug = {organization.slug: organization for organization in Organization.objects.all()}
    organizations = {party.code: by_slug[party.slug] for party in parties() if party.slug in by_slug}
    is_new = not NetworkVersion.objects.exists()
    if is_new:
        networks(organizations)
    studies(organizations)
    if not MeterDay.objects.exists():
        meters()
    if is_new:
        envelopes(organizations)
    _happened(organizations)


def _happened(organizations: dict[str, Organization]) -> None:
    """Readings, what happens on the grid and what inverters were read to have, once."""
    if not Reading.objects.exists():
        readings(organizations)
    happenings(organizations)
    inverters.read_back(organizations)


def loaded() -> bool:
    """True when the last file is there and read."""
    return Submission.objects.filter(idempotency_key="demo-draft").exclude(status=Submission.Status.STAGING).exists()


def _organizations() -> dict[str, Organization]:
    Organization.objects.bulk_create(
        (Organization(kind=party.kind, name=party.name, legal_name=party.legal_name, slug=party.slug) for party in parties()),
        ignore_conflicts=True,
    )
    by_slug = {organization.slug: organization for organization in Organization.objects.all()}
    made = {party.code: by_slug[party.slug] for party in parties()}
    Oversight.objects.bulk_create(
        (Oversight(overseer=made[overseer], overseen=made[overseen]) for overseer, overseen in oversight()), ignore_conflicts=True
    )
    _utilities(made)
    return made


def _utilities(made: dict[str, Organization]) -> None:
    utilities = {utility.utility_id_eia: utility for utility in newjersey.utilities()}
    markets = {party.balancing_authority_code: made[party.code] for party in parties() if party.kind == "tso"}
    UtilityProfile.objects.bulk_create(
        (
            UtilityProfile(
                edc=made[party.code],
                eia_id=party.utility_id_eia,
                ownership=party.ownership,
                nerc_region=utilities[party.utility_id_eia].nerc_region,
                balancing_authority=party.balancing_authority_code,
                tso=markets.get(party.balancing_authority_code),
                annual_mwh=utilities[party.utility_id_eia].annual_mwh,
                annual_mwh_year=newjersey.YEAR,
            )
            for party in UTILITIES
        ),
        ignore_conflicts=True,
    )


def _filings(organizations: dict[str, Organization], report: Report) -> None:
    """Each aggregator files its whole portfolio in one file; its utilities approve it; a few illustrative rows stay to be worked on."""
    with tempfile.TemporaryDirectory() as folder:
        files = _write_files(Path(folder), organizations)
        for number, party in enumerate(AGGREGATORS):
            share = 0.35 + 0.65 * number / len(AGGREGATORS)
            actor = User.objects.get(email=address(party, "approver"))
            report(f"{party.name} files", share)
            submission = _file(actor, organizations[party.code], files[party.code], f"demo-{party.code}", f"{party.name}: portfolio")
            report(f"Utilities review {party.name}", share + 0.08)
            if number == 0:
                inverters.issue(submission, organizations)
            _approve_all(submission)
        report("Work in progress", 0.98)
        _work_in_progress(organizations, files)


def _work_in_progress(organizations: dict[str, Organization], files: dict[str, Path]) -> None:
    """Something for everybody to do: a review with a question and a proposed denial, and a draft with errors."""
    party = AGGREGATORS[0]
    actor, aggregator = User.objects.get(email=address(party, "approver")), organizations[party.code]
    submission = _file(actor, aggregator, files["open"], "demo-open", "Home batteries and chargers, this month")
    review = UtilityReview.objects.filter(submission=submission, edc=organizations[STORY_UTILITY]).select_related("edc").first()
    if review and not review.decisions.exists():
        _ask_and_deny(review)
    if review:
        dispute(review)
    _receive(actor, aggregator, files["draft"], "demo-draft", "Spring installations, to be mended")


def _ask_and_deny(review: UtilityReview) -> None:
    reviewer = policy.holders("review_ders", review.edc).order_by("pk").first()
    rows = StagedDer.objects.of_review(review).order_by("row_number")
    first, last = list(rows.values_list("pk", flat=True)[:3]), list(rows.values_list("pk", flat=True)[3:5])
    reviewing.decide(
        actor=reviewer,
        review=review,
        rows=StagedDer.objects.filter(pk__in=first),
        kind=Decision.Kind.REQUEST_INFO,
        statement="Please say whether these batteries may charge from the grid.",
    )
    study = ContentFile(
        b"Screening study (generated): the transformer's rating is exceeded at simultaneous charging.\n", name="screening-study.txt"
    )
    evidence = store(actor=reviewer, owner=review.edc, kind=Document.Kind.EVIDENCE, upload=study, counterparty=review.aggregator)
    reviewing.decide(
        actor=reviewer,
        review=review,
        rows=StagedDer.objects.filter(pk__in=last),
        kind=Decision.Kind.DENY,
        reason_code=Decision.Reason.R2,
        statement="The service transformer is loaded beyond its rating when both charge.",
        evidence=evidence,
    )


def _write_files(folder: Path, organizations: dict[str, Organization]) -> dict[str, Path]:
    """One CSV per aggregator, and two of the first aggregator's illustrative rows: one stays under review, one in a draft.

    What was received before a load was killed is not asked for again (`filing.receive_file`): if that is all, the files are empty.
    """
    names = [*(party.code for party in AGGREGATORS), "open", "draft"]
    paths = {name: folder / f"{name.lower()}.csv" for name in names}
    files = {name: path.open("w", encoding="utf-8", newline="") for name, path in paths.items()}
    filers = [organizations[party.code] for party in AGGREGATORS]
    received = Submission.objects.filter(aggregator__in=filers, idempotency_key__in=[f"demo-{name}" for name in names]).count()
    if received < len(names):
        _fill(files)
    for file in files.values():
        file.close()
    return paths


def _fill(files: dict[str, TextIO]) -> None:
    """Write what is filed, each row into its file."""
    writers = {name: csv.writer(file) for name, file in files.items()}
    for writer in writers.values():
        writer.writerow(FIELDS)
    held = Counter()
    for code, row in generate.filings():
        utility = row["utility_id_eia"]
        illustrative = code == AGGREGATORS[0].code and row["external_id"].startswith("ILL-")
        pile = "open" if held[utility] < HELD_BACK else "draft" if held[utility] < HELD_BACK + IN_DRAFT else ""
        if illustrative and pile:
            writers[pile].writerow(_cells(_spoiled(row, held[utility]) if pile == "draft" else row))
            held[utility] += 1
        else:
            writers[code].writerow(_cells(row))


def _cells(row: dict[str, str]) -> list[str]:
    return [*map(row.get, FIELDS, repeat(""))]


def _spoiled(row: dict[str, str], number: int) -> dict[str, str]:
    """A row of the draft, every other one with a fault of the kind that people make."""
    faults = [
        {"nameplate_ac_kw": "7,6 kW"},
        {"commissioned_on": "2023-02-30"},
        {"usage_point_id": "UP-UNKNOWN"},
        {"approved_export_kw": "-5"},
    ]
    return row | faults[number // 2 % len(faults)] if number % 2 else row


def _receive(actor: User, aggregator: Organization, path: Path, key: str, title: str) -> Submission:
    with path.open("rb") as file:
        upload = File(file, name=path.name)
        submission = filing.receive_file(actor=actor, aggregator=aggregator, upload=upload, title=title, idempotency_key=key)
    if submission.status == Submission.Status.STAGING:
        stage(submission.job_id)
        submission.refresh_from_db()
    return submission


def _file(actor: User, aggregator: Organization, path: Path, key: str, title: str) -> Submission:
    submission = _receive(actor, aggregator, path, key, title)
    if submission.status == Submission.Status.DRAFT:
        version, _, _ = filing.attestation()
        submission = filing.submit(actor=actor, submission=submission, attestation_version=version)
    return submission


def _approve_all(submission: Submission) -> None:
    for review in UtilityReview.objects.undecided().filter(submission=submission).select_related("edc"):
        reviewer = policy.holders("review_ders", review.edc).order_by("pk").first()
        rows = StagedDer.objects.filter(status=StagedDer.Status.PENDING)
        reviewing.decide(
            actor=reviewer, review=review, rows=rows, kind=Decision.Kind.APPROVE, statement="Within the interconnection agreements"
        )
