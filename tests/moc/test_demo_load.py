"""The demonstration state enters through the engine, and the registry sums back to what EIA-861 published (issue: demonstration state)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db.models import Count, Sum
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization, Oversight, User
from moc.demo import inverters, load, networks, newjersey
from moc.history import acting
from moc.reports import reports
from operations.coordination.models import MonitoredLine
from operations.deferral.models import TransformerAlarm
from operations.deferral.reports import relief
from operations.envelopes.models import EnvelopePoint, EnvelopeRun
from operations.hosting.models import HostingMap
from operations.interconnection.models import InterconnectionStudy, SettingsReadback
from operations.network.models import NetworkVersion
from operations.outcomes.services import making
from operations.reliability.models import ReliabilityFinding
from operations.screening.models import ReviewScreen
from registry.ders.choices import DerType
from registry.ders.models import Der
from registry.submissions.models import Finding, StagedDer, Submission, UtilityReview

PUBLISHED = {"photovoltaic": DerType.PHOTOVOLTAIC, "wind": DerType.WIND, "other": DerType.OTHER_GENERATION}
CUSTOMERS = 104_368


@pytest.fixture
def state(transactional_db, settings, tmp_path):
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
    settings.MEDIA_ROOT = tmp_path
    settings.CELERY_TASK_ALWAYS_EAGER = False  # what is left to workers, as the envelopes after an event, waits for them
    with sight.seeing(sight.NOTHING):  # as a command starts
        call_command("load_demo", verbosity=0)


def test_the_registry_sums_to_the_published_totals(state):
    """R1: customers and capacity by utility, sector and technology equal EIA-861's net-metering figures, exactly."""
    generated = Der.objects.exclude(external_id__startswith="ILL-")
    sums = {
        (eia, sector, technology): (customers, kw)
        for eia, sector, technology, customers, kw in generated.order_by()
        .values_list("edc__utility__eia_id", "customer_sector", "der_type")
        .annotate(Count("service_point", distinct=True), Sum("nameplate_ac_kw"))
    }
    for total in newjersey.totals():
        if total.technology in PUBLISHED and total.customers:
            key = (total.utility_id_eia, total.customer_sector, PUBLISHED[total.technology])
            assert sums[key] == (total.customers, Decimal(total.capacity_kw)), key
    assert generated.filter(der_type=DerType.PHOTOVOLTAIC).count() == CUSTOMERS
    assert {finding.submission.idempotency_key for finding in Finding.objects.select_related("submission")} == {"demo-draft"}
    assert UtilityReview.objects.undecided().exists(), "something is left to decide"
    assert Submission.objects.filter(status=Submission.Status.IN_REVIEW).count() == 1
    assert Der.history.count() == Der.objects.count(), "each record has its first version"
    _as_eia_published()
    _networks_with_envelopes()
    _studied()
    counted = (Der, StagedDer, Organization, NetworkVersion, EnvelopeRun, InterconnectionStudy, ReviewScreen, HostingMap)
    before = [model.objects.count() for model in counted]
    load.load(lambda step, share: None)
    assert [model.objects.count() for model in counted] == before, "loading again changes nothing"


def _networks_with_envelopes() -> None:
    """O1, O4: every service point of the feeders with a network is a point of it, and today and tomorrow have published limits."""
    current = NetworkVersion.objects.filter(status=NetworkVersion.Status.CURRENT, source="opendss").select_related("feeder")
    assert len(current) == networks.FEEDERS and len({version.feeder.substation_id for version in current}) == 1
    for version in current:
        assert (
            version.linked_count == version.feeder.service_points.count() and not version.networkfindings.filter(severity="error").exists()
        )
        runs = EnvelopeRun.objects.of_feeder(version.feeder).published()
        assert {timezone.localtime(run.starts_at).date() - timezone.localdate() for run in runs} >= {timedelta(0), timedelta(1)}
        assert all(run.unchecked == 0 for run in runs)
        assert all(run.forecasts for run in runs if run.ends_at > timezone.now()), "held against forecasts"
        active = Der.objects.filter(feeder=version.feeder, status=Der.Status.ACTIVE)
        assert EnvelopePoint.objects.filter(feeder=version.feeder).count() == active.count() > 400
    past = EnvelopeRun.objects.published().get(ends_at__lte=timezone.now())
    with sight.engine():
        found = making.make(past.pk)
    assert past.caps and any(each.curtailed_export_kwh for each in found) and sum(each.beyond for each in found)


def _studied() -> None:
    """O2, O4: on a feeder of a table a study with a firm limit below the flexible one, a screen of the open review and a map; an alarm."""
    version = NetworkVersion.objects.get(status=NetworkVersion.Status.CURRENT, source="table")
    study, screen = InterconnectionStudy.objects.get(network=version), ReviewScreen.objects.get(network=version)
    found = HostingMap.objects.get(network=version)
    assert [each.status for each in (study, screen, found)] == ["done"] * 3 and screen.row_count and found.node_count
    alarms = TransformerAlarm.objects.filter(day=timezone.localdate())
    assert alarms and all(0 < alarm.over_kw < relief(alarm)[1] + 0.01 for alarm in alarms), "charging that can be curtailed"
    assert ReliabilityFinding.objects.exists() and MonitoredLine.objects.exists()
    issued = Der.objects.filter(inverter_settings__isnull=False).count()
    assert issued == inverters.ISSUED and sorted(map(bool, _read_back())) == [False] * (issued - 2) + [True]
    assert study.firm_export_kw < study.flexible_export_kw < float(study.rated_kw)


def _read_back() -> list:
    return list(SettingsReadback.objects.values_list("differences", flat=True))


def _as_eia_published() -> None:
    """N6: the net metering return of the state, asked by a regulator of all utilities, is what EIA-861 published, to the last digit."""
    regulator = User.objects.get(email="audits@njbpu.example.org")
    with acting(None, "system: tests"):
        for edc in Organization.objects.filter(kind="edc"):
            Oversight.objects.get_or_create(overseer=Organization.objects.get(slug="njbpu"), overseen=edc)
    with sight.seeing(policy.sight_of(regulator)):
        result = reports.compute(regulator, "eia-861-net-metering", {"parameters": {"year": "2018", "state": "NJ"}})
    titles = [head.title for head in result.heads]
    lines = {line["Utility Number"]: line for line in (dict(zip(titles, row, strict=True)) for row in result.rows)}
    published = {
        (each.utility_id_eia, each.technology, each.customer_sector): (each.customers, each.capacity_kw) for each in newjersey.totals()
    }
    bands = {"photovoltaic": "Photovoltaic", "photovoltaic_storage": "Photovoltaic Storage", "wind": "Wind", "other": "Other"}
    for utility in newjersey.utilities():
        line = lines.pop(utility.utility_id_eia)
        assert line["BA Code"] == utility.balancing_authority_code
        for technology, band in bands.items():
            for sector in ("residential", "commercial", "industrial", "transportation"):
                told = line[f"{band} Customers {sector.capitalize()}"], line[f"{band} Capacity MW {sector.capitalize()}"] * 1000
                assert told == published.get((utility.utility_id_eia, technology, sector), (0, 0)), (utility.name, technology, sector)
    assert not lines, "no other utility"
