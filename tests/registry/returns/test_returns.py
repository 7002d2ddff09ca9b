"""N6: each ready-made report is computed a second way; EIA-861 of a second state from a fresh import equals what was published."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization, Oversight
from moc.documents.models import Document
from moc.errors import UserError
from moc.history import acting
from moc.reports import reports
from moc.reports.datasets import all_ready
from moc.reports.models import ReportRun
from registry.aggregations.models import Aggregation, AggregationMember
from registry.ders.models import Der
from registry.grid.models import County, ServicePoint
from registry.jurisdictions.models import Affiliation
from registry.participants.models import UtilityProfile
from registry.returns.reports import compliance
from registry.returns.reports.oversight import wilson
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview
from registry.submissions.reports import last_day
from registry.submissions.services import filing as filings
from registry.submissions.services import reviewing
from tests.factories.ders import register
from tests.factories.filings import reviewed, row, staged, store_in
from tests.factories.qualification import aggregate
from tests.factories.world import REASON
from tests.registry.returns.west_virginia import NET_METERING, TOTALS, UTILITIES

pytestmark = pytest.mark.django_db
STATE = {"parameters": {"year": "2018", "state": "WV"}}


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    store_in(settings, tmp_path)


def made(user, code: str, data: dict | None = None) -> list[dict]:
    """The rows of a ready-made report under the user's sight, by title of column."""
    with sight.seeing(policy.sight_of(user)):
        result = reports.compute(user, code, data or {})
        titles = [head.title for head in result.heads]
        return [dict(zip(titles, line, strict=True)) for line in result.rows]


def asked(statement: str, *values) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def kept(world, kind: str) -> Document:
    """A document of the first utility."""
    file = ContentFile(b"%PDF-1.7 study", name="study.pdf")
    return Document.objects.create(file=file, name="study.pdf", size=14, sha256="0" * 64, kind=kind, owner=world.edc)


# EIA-861


@pytest.fixture
def state(world):
    """West Virginia as a registry that was filled by a file: its utilities, and a row for each customer, filed, submitted and approved."""
    with acting(None, REASON):
        county = County.objects.create(fips="54039", name="Kanawha", state="WV", population=180_000)
        edcs = Organization.objects.bulk_create(
            Organization(kind="edc", name=name, legal_name=name, slug=f"wv-{eia}") for eia, (name, _) in UTILITIES.items()
        )
        for edc, (eia, (_, authority)) in zip(edcs, UTILITIES.items(), strict=True):
            UtilityProfile.objects.create(edc=edc, eia_id=eia, ownership="investor_owned", balancing_authority=authority, tso=world.tso)
            Oversight.objects.create(overseer=world.rerra, overseen=edc)
        rows = list(customers())
        by_eia = dict(zip(UTILITIES, edcs, strict=True))
        points = {(each["utility_id_eia"], each["usage_point_id"]) for each in rows}
        ServicePoint.objects.bulk_create(
            ServicePoint(edc=by_eia[eia], usage_point_id=point, county=county, phases_available=3) for eia, point in sorted(points)
        )
    filing = staged(world, rows)
    version, _, _ = filings.attestation()
    submission = filings.submit(actor=world.user("aggregator", "approver"), submission=filing, attestation_version=version)
    for review in submission.reviews.select_related("edc"):
        reviewing.decide(actor=None, review=review, rows=StagedDer.objects.all(), kind=Decision.Kind.APPROVE, statement="As agreed")
    return world.user("rerra", "auditor")


def customers():
    """One filed row for each customer: capacity in whole watts, which add up; storage at the first customers with photovoltaics."""
    for eia, sector, technology, count, mw in NET_METERING:
        watts, whole = divmod(int(Decimal(mw) * 1_000_000), count)
        for n in range(count):
            place = f"{sector[:3]}-{'pv' if technology == 'storage' else technology[:4].replace('phot', 'pv')}-{n}"
            kw = f"{(watts + (n < whole)) / 1000:.3f}"
            program = {"retail_programs": "", "interconnection_kind": "non_export", "energy_capacity_kwh": "10"}
            metered = {"retail_programs": "net_metering", "interconnection_kind": "net_metering"}
            known = row(n, nameplate_ac_kw=kw, rated_kva=kw, approved_export_kw="0" if technology == "storage" else kw)
            yield known | {
                "external_id": f"{eia}-{sector}-{technology}-{n}",
                "serial_no": f"{eia}{sector}{technology}{n}",
                "der_type": "photovoltaic" if technology == "virtual" else technology,
                "customer_sector": sector,
                "utility_id_eia": eia,
                "usage_point_id": f"{eia}-{place}",
                "county_fips": "54039",
                "edc_account_no": f"{eia}{place}",
                **(program if technology == "storage" else metered),
                **({"retail_programs": "virtual_net_metering"} if technology == "virtual" else {}),
            }


def test_a_second_states_net_metering_is_as_published(state):
    """To the last digit, by the engine, and by SQL that knows nothing of the report."""
    lines = {line["Utility Number"]: line for line in made(state, "eia-861-net-metering", STATE)}
    names = {
        "photovoltaic": "Photovoltaic",
        "virtual": "Photovoltaic Virtual",
        "storage": "Photovoltaic Storage",
        "wind": "Wind",
        "other_generation": "Other",
    }
    for eia, sector, technology, count, mw in NET_METERING:
        line, band = lines[eia], names[technology]
        assert (line[f"{band} Customers {sector.capitalize()}"], line[f"{band} Capacity MW {sector.capitalize()}"]) == (count, Decimal(mw))
    bare = asked(
        """SELECT u.eia_id, count(DISTINCT d.service_point_id), sum(d.nameplate_ac_kw) / 1000 FROM registry_der AS d
        JOIN registry_utilityprofile AS u ON u.edc_id = d.edc_id WHERE d.county_id = '54039' AND d.der_type = 'photovoltaic'
        AND NOT 'virtual_net_metering' = ANY(d.retail_programs) GROUP BY 1"""
    )
    assert {eia: (line["Photovoltaic Customers Total"], line["Photovoltaic Capacity MW Total"]) for eia, line in lines.items()} == {
        eia: (count, mw) for eia, count, mw in bare
    }
    all_technologies = {
        eia: tuple(line[f"All Technologies {what} Total"] for what in ("Customers", "Capacity MW")) for eia, line in lines.items()
    }
    assert all_technologies == {eia: (count, Decimal(mw)) for eia, (count, mw) in TOTALS.items()}
    assert list(lines) == sorted(lines)


def test_the_columns_stand_in_eias_order():
    heads = [head.title for head in all_ready()["eia-861-net-metering"].make(None, {"year": 2018, "state": "NJ"}).heads]
    assert len(heads) == 86 and heads[:6] == ["Year", "State", "Utility Number", "Utility Name", "BA Code", "Type"]
    places = {"Photovoltaic Capacity MW Residential": 6, "Photovoltaic Customers Total": 15, "Photovoltaic Storage Customers Total": 25}
    places |= {"Photovoltaic Virtual Customers Total": 35, "Wind Capacity MW Residential": 41, "Other Customers Total": 65}
    places |= {"All Technologies Energy Sold Back MWh Total": 85}
    assert {title: heads.index(title) for title in places} == places
    for code, count in (("non-net-metering", 70), ("demand-response", 36), ("advanced-metering", 46)):
        assert len(all_ready()[f"eia-861-{code}"].make(None, {"year": 2018, "state": "NJ"}).heads) == count


@pytest.fixture
def others(world) -> dict[str, int]:
    """DERs of the first utility that are in no net metering, in New Jersey, operating since 2018."""
    facts = {"permission_to_operate_on": date(2018, 6, 1), "interconnection_agreement_no": "IA"}
    register(world, 4, prefix="PV", **facts)
    register(world, 2, prefix="WD", der_type="wind", customer_sector="industrial", **facts)
    register(world, 1, prefix="FT", connection_kind="ftm", **facts)
    register(world, 3, prefix="DR", der_type="demand_response", der_subtype="heat_pump_water_heater", **facts)
    metered = {"meter_reader": "host_utility", "meter_revenue_grade": True, "meter_interval_min": 15}
    for n in range(3):
        register(world, 1, prefix=f"M{n}", meter_id=f"M-{n % 2}", **facts, **metered)
    register(world, 1, prefix="NM", retail_programs=["net_metering"], **facts)
    register(world, 1, prefix="LATE", permission_to_operate_on=date(2019, 1, 1))
    return {"state": "NJ", "year": "2018"}


def test_distributed_capacity_that_is_not_net_metered(world, others):
    (line,) = made(world.user("rerra", "auditor"), "eia-861-non-net-metering", {"parameters": others})
    ((count, mw),) = asked(
        """SELECT count(*), sum(nameplate_ac_kw) / 1000 FROM registry_der WHERE permission_to_operate_on <= '2018-12-31'
        AND der_type <> 'demand_response' AND NOT 'net_metering' = ANY(retail_programs)"""
    )
    assert (line["Number of Generators"], line["Total Capacity"], line["Total Total"]) == (count, mw, mw)
    assert (line["Wind Industrial"], line["Photovoltaic Direct Connected"]) == (Decimal("0.003"), Decimal("0.001"))


def test_demand_response_and_meters(world, others):
    user = world.user("rerra", "auditor")
    (line,) = made(user, "eia-861-demand-response", {"parameters": others})
    ((customers, mw),) = asked(
        "SELECT count(DISTINCT service_point_id), sum(nameplate_ac_kw) / 1000 FROM registry_der WHERE der_type = 'demand_response'"
    )
    assert (line["Number of Customers Enrolled Total"], line["Potential Peak Demand Savings (MW) Total"]) == (customers, mw)
    assert line["Grid Connected Water Heater"] == 3 and line["Energy Savings (MWh) Total"] is None
    (line,) = made(user, "eia-861-advanced-metering", {"parameters": others})
    assert (line["Number AMI Residential"], line["Total Numbers of Meters Total"]) == (2, 2)
    assert line["Customers with Direct Load Control Total"] == customers


# Reviews


@pytest.fixture
def review(world) -> UtilityReview:
    """Four rows: two approved, one with a limit, one denied, all of them after the clock."""
    found = reviewed(world, [row(n) for n in range(1, 5)])
    rows = StagedDer.objects.filter(submission=found.submission).order_by("row_number")
    pks = list(rows.values_list("pk", flat=True))
    by = {"actor": world.user("edc", "reviewer"), "review": found}
    reviewing.decide(**by, rows=rows.filter(pk__in=pks[:2]), kind="approve", statement="Fine")
    reviewing.decide(**by, rows=rows.filter(pk=pks[2]), kind="approve_limited", export_limit_kw=Decimal(1), statement="Limited")
    with acting(None, REASON):
        study = kept(world, "evidence")
        denial = Decision.objects.create(
            review=found,
            kind="deny",
            status="proposed",
            reason_code="data_mismatch",
            statement="No",
            evidence=study,
            decided_by=world.user("edc", "reviewer"),
            row_count=1,
        )
        facts = {"confirmed_by": world.user("edc", "approver"), "confirmed_at": timezone.now()}
        Decision.objects.filter(pk=denial.pk).update(status="effective", **facts)
        for status in ("denial_proposed", "denied"):
            StagedDer.objects.filter(pk=pks[3]).update(status=status, decision=denial)
        UtilityReview.objects.filter(pk=found.pk).update(due_at=timezone.now() - timedelta(days=1))
    return found


def test_rates_with_their_confidence(world, review):
    """¶292: counted in Python from the rows, with Wilson's interval from the book."""
    with acting(None, REASON):
        Affiliation.objects.create(aggregator=world.aggregator, edc=world.edc, valid_during=("2020-01-01", None), source="tests")
    (line,) = made(world.user("rerra", "auditor"), "non-discrimination")
    rows = list(StagedDer.objects.select_related("decision__review"))
    late = sum(each.decision.decided_at > each.decision.review.due_at for each in rows)
    assert (line["Decided DERs"], line["Denied"], line["Limited"], line["Delayed"]) == (len(rows), 1, 1, late) == (4, 1, 1, 4)
    assert (line["Denied, %"], line["Denied, 95% from"], line["Denied, 95% to"]) == (25.0, 4.56, 69.94)
    assert line["Affiliate of the utility"] is True


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"), [(0, 10, 0.0, 27.75), (10, 10, 72.25, 100.0), (1, 100, 0.18, 5.45), (0, 0, 0, 100)]
)
def test_wilson(part, whole, low, high):
    """Figures of Brown, Cai and DasGupta's form of the interval."""
    assert tuple(round(bound, 2) for bound in wilson(part, whole)) == (low, high)


def test_review_times_and_denials(world, review):
    user = world.user("rerra", "auditor")
    (line,) = made(user, "review-times")
    found = UtilityReview.objects.get()
    days = ((found.closed_at or timezone.now()) - found.started_at).total_seconds() / 86_400
    assert line["After its clock ended"] is True and line["Average of Days of review"] == pytest.approx(days, abs=0.01)
    (line,) = made(user, "denials-by-ground")
    assert (line["Count"], line["Sum of DERs"], line["Share of DERs (%)"]) == (1, 1, 100.0)
    assert line["Ground"].startswith("R6")


def test_the_queue_is_what_waits(world):
    reviewed(world, [row(n) for n in range(1, 4)])
    lines = made(world.user("rerra", "auditor"), "interconnection-queue")
    assert {line["Row"] for line in lines} == set(StagedDer.objects.filter(status="pending").values_list("row_number", flat=True))
    assert made(world.user("rerra2", "auditor"), "interconnection-queue") == []


# The registry


@pytest.mark.parametrize(
    ("by", "column"), [("utility", "edc_id"), ("county", "county_id"), ("sector", "customer_sector"), ("technology", "der_type")]
)
def test_participation(world, others, by, column):
    lines = made(world.user("rerra", "auditor"), f"participation-by-{by}")
    bare = asked(f"SELECT count(*), sum(nameplate_ac_kw) FROM registry_der GROUP BY {column} ORDER BY 2 DESC")  # noqa: S608
    assert [(line["Count"], line["Sum of Nameplate AC (kW)"]) for line in lines] == bare
    assert sum(line["Share of Nameplate AC (kW) (%)"] for line in lines) == pytest.approx(100)


def test_migrations_of_net_metering(world, others):
    with acting(None, REASON):
        Der.objects.filter(external_id="PV-1").update(retail_programs=["net_metering"], interconnection_kind="net_metering")
        Der.objects.filter(external_id="PV-2").update(model="Other")
    (line,) = made(world.user("rerra", "auditor"), "nem-migrations")
    assert (line["Programs before"], line["Programs after"], line["DERs"]) == ("none", "net_metering", 1)
    versions = Der.history.filter(external_id="PV-1").order_by("history_id").values_list("retail_programs", flat=True)
    assert list(versions) == [[], ["net_metering"]]


def test_opt_in_status(world):
    with acting(None, REASON):
        UtilityProfile.objects.filter(edc=world.edc2).update(annual_mwh=1_000)
    lines = {line["Utility"]: line for line in made(world.user("rerra", "auditor"), "opt-in-status")}
    small, large = lines[world.edc2.name], lines[world.edc.name]
    assert (small["Small"], small["Customers may take part"]) == (True, False)
    assert (large["Small"], large["Customers may take part"], large["Demand response opted out"]) == (False, True, False)


def test_ders_by_bus(world, others):
    """NERC: the sum over buses is the sum of the registry."""
    lines = made(world.user("tso", "auditor"), "nerc-mod-032")
    ((count, mw),) = asked("SELECT count(*), sum(nameplate_ac_kw) / 1000 FROM registry_der")
    assert (sum(line["DERs"] for line in lines), sum(line["Nameplate AC (MW)"] for line in lines)) == (count, mw)
    assert {line["T-D interface"] for line in lines} == {"TD1"} and {line["U-DER or R-DER (unverified)"] for line in lines} == {
        "U-DER",
        "R-DER",
    }


def test_participation_in_markets(world, others):
    with acting(None, REASON):
        aggregation = aggregate(world, [Der.objects.get(external_id="PV-4")], "energy", "capacity")
        Aggregation.objects.filter(pk=aggregation.pk).update(status="registered")
    (line,) = made(world.user("tso", "auditor"), "ferc-rto-participation")
    assert (line["Status"], line["DERs"], line["Nameplate AC (kW)"]) == ("Registered", 1, Decimal(4))
    assert AggregationMember.objects.filter(aggregation=aggregation).count() == 2, "a DER that offers two services is one DER"


def recorded_yesterday(monkeypatch) -> dict:
    """Parameters that ask as of yesterday, on a clock that is two days ahead: what the tests wrote was recorded by then."""
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(days=2))
    return {"parameters": {"as_of": str(timezone.localdate() - timedelta(days=1))}}


def test_ready_made_reports_as_of_a_past_day(world, others, monkeypatch):
    """N4: members, capacity, profiles, the law and migrations as they were recorded; nothing of before everything."""
    with acting(None, REASON):
        aggregation = aggregate(world, [Der.objects.get(external_id="PV-4")], "energy")
        Aggregation.objects.filter(pk=aggregation.pk).update(status="registered")
        Der.objects.filter(external_id="PV-1").update(retail_programs=["net_metering"])
        UtilityProfile.objects.filter(edc=world.edc2).update(annual_mwh=1_000)
    user, market = world.user("rerra", "auditor"), world.user("tso", "auditor")
    past = recorded_yesterday(monkeypatch)
    early = {"parameters": {"as_of": "2001-01-01"}}
    day = str(timezone.localdate() - timedelta(days=2))
    (line,) = made(market, "ferc-rto-participation", past)
    assert (line["DERs"], line["Nameplate AC (kW)"]) == (1, Decimal(4)) and made(market, "ferc-rto-participation", early) == []
    (line,) = made(user, "nem-migrations", past)
    assert line["DERs"] == 1 and made(user, "nem-migrations", early) == []
    lines = {each["Utility"]: each for each in made(user, "opt-in-status", {"parameters": past["parameters"] | {"day": day}})}
    assert lines[world.edc2.name]["Small"] is True and made(user, "opt-in-status", early) == []


@pytest.mark.parametrize("code", ["interconnection-queue", "non-discrimination", "obligations", "order-2222"])
def test_a_report_that_knows_only_the_present_says_so(world, client_of, code):
    """Asked as of a past day it is refused, with the reason; its page says it beforehand."""
    with pytest.raises(UserError, match="what stands now only"):
        made(world.user("rerra", "auditor"), code, {"parameters": {"as_of": "2026-01-01"}})
    html = client_of(world.user("rerra", "auditor")).get(reverse("report_ready", args=[code])).content.decode()
    assert "cannot be asked as of a past day" in html


def test_the_calendar_says_what_is_due_and_what_was_filed(world, review):
    user, today = world.user("rerra", "auditor"), timezone.localdate()
    due = last_day(UtilityReview.objects.get().due_at)
    year = date(today.year + 1, 4, 30)
    data = {"parameters": {"first": str(due), "last": str(year)}}
    lines = made(user, "obligations", data)
    assert [line["Due"] for line in lines] == sorted(line["Due"] for line in lines)
    (one,) = [line for line in lines if line["Duty"].startswith("Review of")]
    assert (one["Due"], one["Standing"]) == (due, "late" if one["Filed"] else "overdue")
    returns = [line for line in lines if line["Duty"].startswith("EIA-861")]
    assert len(returns) == 4 and {line["Standing"] for line in returns} == {"open"}
    with acting(None, REASON):
        document = kept(world, "export")
        ReportRun.objects.create(
            organization=world.edc,
            user=user,
            title="R",
            source="eia-861-net-metering",
            spec={"parameters": {"year": str(today.year)}},
            format="csv",
            document=document,
            read_at=timezone.now(),
        )
    filed = [line for line in made(user, "obligations", data) if line["Standing"] == "in time"]
    assert [line["Receipt"] for line in filed] == [document.sha256]


def test_the_matrix_shows_every_paragraph_with_its_evidence(world, others, review):
    lines = made(world.user("rerra", "auditor"), "order-2222")
    assert {line["Paragraph"] for line in lines} == {f"¶{paragraph}" for paragraph, *_ in compliance.PARAGRAPHS}
    shown = {(line["Paragraph"], line["Evidence"]): line for line in lines}
    assert shown["¶236", "DERs with their facts"]["Records"] == Der.objects.exclude(status="decommissioned").count()
    assert shown["¶292", "Utility reviews"]["Records"] == 1
    assert shown["¶296", "Denials with ground and evidence"]["Standing"] == "shown"
    assert shown["¶352", "Attested filings"]["Records"] == Submission.objects.exclude(attestation_sha256="").count()
    assert {("¶240", "DERs with readings on record"), ("¶269", "Days of meter data"), ("¶310", "Envelopes told to aggregators")} <= set(
        shown
    )
    assert not [line for line in lines if line["Standing"] == "not shown"]  # every paragraph has what could show it
    other = {line["Evidence"]: line["Records"] for line in made(world.user("rerra2", "auditor"), "order-2222")}
    assert other["Utility reviews"] == 0
