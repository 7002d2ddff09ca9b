"""Load the demonstration state through the same services as everybody: parties and grid, then filings, reviews and decisions.

Each step is idempotent, so that a load that was killed goes on where it stopped.
"""

import csv
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from django.core.files import File

from moc.access import policy
from moc.access.models import Organization, Oversight, User
from moc.demo import generate, newjersey
from moc.demo.grid import grid, service_points
from moc.demo.parties import AGGREGATORS, UTILITIES, oversight, parties
from moc.demo.people import address, load_people
from moc.history import acting
from moc.rulesets import services as rulesets
from registry.ders.dictionary import FIELDS
from registry.grid.models import County, Feeder, Pnode, ServicePoint, ServiceTerritory, Substation, TdInterface, Transformer
from registry.participants.models import UtilityProfile
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.services import filing, reviewing
from registry.submissions.tasks import stage

REASON = "system: load_demo"
BATCH = 5_000
Report = Callable[[str, float], None]


def load(report: Report) -> None:
    """Load everything; `report(step, share done)` is called as it goes."""
    rulesets.load()
    with acting(None, REASON):
        organizations = _organizations()
        load_people(organizations)
        report("Parties", 0.02)
        _grid(organizations)
        report("Grid", 0.08)
    _service_points(organizations, report)
    _filings(organizations, report)
    report("Done", 1.0)


def loaded() -> bool:
    """True when the last aggregator's filing is there and decided."""
    return Submission.objects.filter(idempotency_key=f"demo-{AGGREGATORS[-1].code}", status=Submission.Status.COMPLETED).exists()


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
    return made


def _edcs(organizations: dict[str, Organization]) -> dict[int, Organization]:
    return {party.utility_id_eia: organizations[party.code] for party in UTILITIES}


def _grid(organizations: dict[str, Organization]) -> None:
    edcs, state = _edcs(organizations), grid()
    markets = {party.balancing_authority_code: organizations[party.code] for party in parties() if party.kind == "tso"}
    County.objects.bulk_create(
        (County(fips=fips, name=county.name, state="NJ", population=county.population) for fips, county in newjersey.counties().items()),
        ignore_conflicts=True,
    )
    ServiceTerritory.objects.bulk_create(
        (
            ServiceTerritory(edc=edcs[utility.utility_id_eia], county_id=fips)
            for utility in newjersey.utilities()
            for fips in utility.county_fips
        ),
        ignore_conflicts=True,
    )
    Pnode.objects.bulk_create(
        (Pnode(tso=markets[item.balancing_authority_code], name=item.pnode) for item in state.interfaces), ignore_conflicts=True
    )
    pnodes = {(pnode.tso_id, pnode.name): pnode for pnode in Pnode.objects.all()}
    interfaces = _elements(
        TdInterface,
        (
            TdInterface(
                edc=edcs[item.utility_id_eia],
                code=item.code,
                name=f"{newjersey.counties()[item.county_fips].name} interface",
                pnode=pnodes[markets[item.balancing_authority_code].pk, item.pnode],
            )
            for item in state.interfaces
        ),
    )
    substations = _elements(
        Substation,
        (
            Substation(
                edc=edcs[item.utility_id_eia],
                code=item.code,
                name=f"Substation {item.code}",
                td_interface=interfaces[edcs[item.utility_id_eia].pk, item.interface],
                latitude=round(item.latitude, 5),
                longitude=round(item.longitude, 5),
            )
            for item in state.substations
        ),
    )
    feeders = _elements(
        Feeder,
        (
            Feeder(
                edc=edcs[item.utility_id_eia],
                code=item.code,
                substation=substations[edcs[item.utility_id_eia].pk, item.substation],
                nominal_kv=item.nominal_voltage_kv,
            )
            for item in state.feeders
        ),
    )
    _elements(
        Transformer,
        (
            Transformer(
                edc=edcs[item.utility_id_eia],
                code=item.code,
                feeder=feeders[edcs[item.utility_id_eia].pk, item.feeder],
                rated_kva=item.rated_kva,
            )
            for item in state.transformers
        ),
    )


def _elements(model, rows: Iterator) -> dict[tuple[int, str], object]:
    """Insert grid elements that are not there yet; returns all by (utility, code)."""
    model.objects.bulk_create(rows, ignore_conflicts=True, batch_size=BATCH)
    return {(row.edc_id, row.code): row for row in model.objects.all()}


def _service_points(organizations: dict[str, Organization], report: Report) -> None:
    edcs = _edcs(organizations)
    transformers = dict(
        ((edc, code), (pk, feeder)) for edc, code, pk, feeder in Transformer.objects.values_list("edc_id", "code", "pk", "feeder_id")
    )
    total, done = sum(1 for _ in service_points()), 0
    if ServicePoint.objects.filter(edc__in=edcs.values()).count() == total:
        return
    points = service_points()
    while batch := list(islice(points, BATCH)):
        with acting(None, REASON):
            ServicePoint.objects.bulk_create(
                (_service_point(edcs[item["utility_id_eia"]], item, transformers) for item in batch), ignore_conflicts=True
            )
        done += len(batch)
        report("Service points", 0.08 + 0.22 * done / total)


def _service_point(edc: Organization, item: dict, transformers: dict) -> ServicePoint:
    transformer, feeder = transformers[edc.pk, item["transformer"]]
    return ServicePoint(
        edc=edc,
        usage_point_id=item["usage_point_id"],
        transformer_id=transformer,
        feeder_id=feeder,
        county_id=item["county_fips"],
        zip_code=item["zip_code"],
        address=item["address"],
        latitude=round(item["latitude"], 5),
        longitude=round(item["longitude"], 5),
        phases_available=item["phases_available"],
        nominal_voltage_v=item["nominal_voltage_v"],
    )


def _filings(organizations: dict[str, Organization], report: Report) -> None:
    """Each aggregator files its whole portfolio in one file; its utilities approve it; a few illustrative rows stay to be worked on."""
    with tempfile.TemporaryDirectory() as folder:
        files = _write_files(Path(folder))
        for number, party in enumerate(AGGREGATORS):
            share = 0.35 + 0.65 * number / len(AGGREGATORS)
            actor = User.objects.get(email=address(party, "approver"))
            report(f"{party.name} files", share)
            submission = _file(actor, organizations[party.code], files[party.code], f"demo-{party.code}", f"{party.name}: portfolio")
            report(f"Utilities review {party.name}", share + 0.08)
            _approve_all(submission)
        open_ = _file(
            User.objects.get(email=address(AGGREGATORS[0], "approver")),
            organizations[AGGREGATORS[0].code],
            files["open"],
            "demo-open",
            "Home batteries and chargers, this month",
        )
        if open_.status == Submission.Status.IN_REVIEW:
            report("A review in progress", 0.98)


def _write_files(folder: Path) -> dict[str, Path]:
    """One CSV per aggregator, and one of the first aggregator's illustrative rows that stays under review."""
    names = [*(party.code for party in AGGREGATORS), "open"]
    paths = {name: folder / f"{name.lower()}.csv" for name in names}
    files = {name: path.open("w", encoding="utf-8", newline="") for name, path in paths.items()}
    writers = {name: csv.DictWriter(file, fieldnames=list(FIELDS), restval="") for name, file in files.items()}
    for writer in writers.values():
        writer.writeheader()
    kept = 0
    for code, row in generate.filings():
        held = code == AGGREGATORS[0].code and row["external_id"].startswith("ILL-") and kept < HELD_BACK
        kept += held
        writers["open" if held else code].writerow(row)
    for file in files.values():
        file.close()
    return paths


HELD_BACK = 240


def _file(actor: User, aggregator: Organization, path: Path, key: str, title: str) -> Submission:
    with path.open("rb") as file:
        submission = filing.receive_file(
            actor=actor, aggregator=aggregator, upload=File(file, name=path.name), title=title, idempotency_key=key
        )
    if submission.status == Submission.Status.STAGING:
        stage(submission.job_id)
        submission.refresh_from_db()
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
