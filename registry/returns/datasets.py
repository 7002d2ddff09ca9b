"""The ready-made reports, the duties and the evidence of the registry."""

from datetime import date, timedelta

from django.conf import settings
from django.db.models import F
from django.urls import reverse_lazy
from django.utils import timezone

from moc.access import policy
from moc.reports.datasets import AS_OF, DATE, INTEGER, PERMISSION, TEXT, Evidence, Parameter, duties, evidence, ready
from moc.takeouts.models import Takeout
from registry.aggregations.models import Aggregation
from registry.aggregators.models import AggregatorRegistration, AgreementSignature
from registry.ders.models import Der
from registry.participants.models import Consent
from registry.prequalification.models import Qualification
from registry.returns.reports import compliance, eia, oversight, reliability
from registry.returns.reports import duties as owed
from registry.submissions.models import Decision, Submission, UtilityReview

EIA = "U.S. EIA, Form EIA-861, columns in the order of the files of 2018"


def last_year() -> int:
    return timezone.localdate().year - 1


def months_ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


RETURN = (Parameter("year", "Year", INTEGER, last_year), Parameter("state", "State", TEXT, lambda: settings.MOC_STATE), AS_OF)
PERIOD = (Parameter("first", "First day", DATE, lambda: months_ago(365)), Parameter("last", "Last day", DATE, timezone.localdate))
AHEAD = (Parameter("first", "First day", DATE, lambda: months_ago(90)), Parameter("last", "Last day", DATE, lambda: months_ago(-365)))

for _code, _title, _make in (
    ("net-metering", "EIA-861: net metering", eia.net_metering),
    ("non-net-metering", "EIA-861: distributed, not net-metered", eia.non_net_metering),
    ("demand-response", "EIA-861: demand response", eia.demand_response),
    ("advanced-metering", "EIA-861: advanced metering", eia.advanced_metering),
):
    ready(f"eia-861-{_code}", _title, "By utility and sector, at the end of a year.", cites=EIA, parameters=RETURN)(_make)

ready(
    "interconnection-queue",
    "Interconnection queue",
    "Filed DERs that wait for their utility, oldest first.",
    cites="Columns after California's DGStats, as used in public code; a state's own list replaces them",
    dataset="filed-ders",
    spec={
        "columns": "submission__uuid row_number edc__name service_point__county__name zip_code der_type nameplate_dc_kw nameplate_ac_kw "
        "max_discharge_kw energy_capacity_kwh customer_sector submission__submitted_at status retail_programs manufacturer model".split(),
        "filters": [
            {"item": "submission__submitted_at", "test": "given"},
            {"item": "decision__decided_at", "test": "empty"},
            {"item": "status", "test": "is", "value": "pending"},
        ],
        "sort": "submission__submitted_at",
    },
)
ready(
    "review-times",
    "Review times",
    "Days of utilities' reviews, and how many outlasted their clock of 60 days or less.",
    cites="FERC Order 2222 ¶295; the clock of each review is its rule set's",
    dataset="reviews",
    spec={
        "group": ["edc__name", "late"],
        "measures": [
            {"of": "count"},
            {"of": "sum", "item": "row_count"},
            {"of": "average", "item": "days"},
            {"of": "percentile", "item": "days", "p": 50},
            {"of": "percentile", "item": "days", "p": 90},
        ],
        "chart": "bars",
    },
)
ready(
    "denials-by-ground",
    "Denials by ground",
    "Denied DERs by utility and ground of the closed list.",
    cites="FERC Order 2222 ¶292, ¶296, ¶297",
    dataset="decisions",
    spec={
        "group": ["review__edc__name", "reason_code"],
        "measures": [{"of": "count"}, {"of": "sum", "item": "row_count"}, {"of": "share", "item": "row_count"}],
        "filters": [{"item": "kind", "test": "is", "value": "deny"}, {"item": "status", "test": "is", "value": "effective"}],
        "sort": "-m2",
        "chart": "bars",
    },
)
for _by, _words in (("edc__name", "utility"), ("county__name", "county"), ("customer_sector", "sector"), ("der_type", "technology")):
    ready(
        f"participation-by-{_words}",
        f"Participation by {_words}",
        f"Registered DERs and their capacity by {_words}.",
        dataset="ders",
        spec={
            "group": [_by],
            "measures": [
                {"of": "count"},
                {"of": "sum", "item": "nameplate_ac_kw"},
                {"of": "share", "item": "nameplate_ac_kw"},
                {"of": "average", "item": "nameplate_ac_kw"},
            ],
            "filters": [{"item": "status", "test": "is_not", "value": "decommissioned"}],
            "sort": "-m2",
            "chart": "bars",
        },
    )

ready(
    "nem-migrations",
    "Migrations of net metering",
    "DERs whose retail programs or interconnection changed, by month and utility.",
    parameters=(*PERIOD, AS_OF),
)(oversight.migrations)
ready(
    "opt-in-status",
    "Opt-in and opt-out",
    "Small utilities and their regulator's opt-in, demand response and its opt-out.",
    cites="18 CFR 35.28(g)(12)(iv); FERC Orders 719 and 2222-B",
    parameters=(Parameter("day", "On", DATE, timezone.localdate), AS_OF),
)(oversight.opt_ins)
ready(
    "non-discrimination",
    "Denials, limits and delays by aggregator",
    "Rates with their confidence intervals; affiliates of the utility are marked.",
    cites="FERC Order 2222 ¶292",
    parameters=PERIOD,
    undated="Filed rows keep no versions.",
)(oversight.rates)
ready(
    "nerc-mod-032",
    "NERC MOD-032: DERs by bus",
    "Capacity by T-D interface, scale, technology and category.",
    cites="NERC MOD-032-1; its columns were not read, those marked are this platform's reading",
    parameters=(AS_OF,),
)(reliability.by_bus)
ready(
    "ferc-rto-participation",
    "FERC and RTO: participation",
    "Filed aggregations with members, capacity, reviews and denials.",
    cites="This platform's reading of Order 2222; columns marked have no source",
    parameters=(AS_OF,),
)(reliability.participation)
ready(
    "obligations",
    "Calendar of obligations",
    "What each party owes by when, what was filed, and the receipt.",
    parameters=AHEAD,
    undated="Duties are counted from the records of the day on which it is asked; the period may lie in the past.",
)(owed.calendar)
ready(
    "order-2222",
    "Order 2222 compliance",
    "Each paragraph with live evidence that it is met.",
    cites=compliance.CITES,
    undated="Its evidence is of the day on which it is asked.",
)(compliance.matrix)

for _duty in (owed.reviews, owed.resubmissions, owed.validations, owed.certifications, owed.annual_returns):
    duties(_duty)


def _shows(paragraphs: str, what: str, rows, at: str, url: str) -> None:
    """Declare evidence: `rows()` within the asker's scope, the last event by `at`, listed at the page named `url`."""

    def shown(user) -> Evidence:
        return Evidence(what, policy.scope(rows(), user, PERMISSION), at, str(reverse_lazy(url)))

    evidence(*paragraphs.split())(shown)


_DERS, _REVIEWS, _SUBMISSIONS = "registry:der_list", "registry:review_list", "registry:submission_list"
_AGGREGATIONS, _VERDICTS, _AGGREGATORS = "registry:aggregation_list", "registry:qualification_list", "registry:aggregator_list"
_shows("130", "Registered aggregators", lambda: AggregatorRegistration.objects.filter(status="registered"), "registered_on", _AGGREGATORS)
_shows("130", "Aggregations that take part", lambda: Aggregation.objects.filter(status="registered"), "effective_on", _AGGREGATIONS)
_shows("159", "Verdicts that bar a service", lambda: Qualification.objects.filter(eligible=False), "since", _VERDICTS)
_shows("160", "Verdicts that open a service", lambda: Qualification.objects.filter(eligible=True), "since", _VERDICTS)
_shows("236", "DERs with their facts", Der.objects.registered, "registered_on", _DERS)
_shows("236", "Aggregations with limits and ramps stated", lambda: Aggregation.objects.exclude(stated_on=None), "stated_on", _AGGREGATIONS)
_shows("238", "Changes of DERs on record", lambda: Der.history.model.objects.filter(history_type="~"), "history_date", _DERS)
_shows("240", "Take-outs of whole records", Takeout.objects.all, "created_at", "report_list")
_shows("269", "DERs metered by their utility", lambda: Der.objects.filter(meter_reader="host_utility"), "registered_on", _DERS)
_shows("270", "Consents of customers", Consent.objects.all, "granted_on", "registry:consent_list")
_shows("278 292", "Utility reviews", UtilityReview.objects.all, "started_at", _REVIEWS)
_shows("292", "Reviews closed within their clock", lambda: UtilityReview.objects.filter(closed_at__lte=F("due_at")), "closed_at", _REVIEWS)
_shows("296", "Denials with ground and evidence", lambda: Decision.objects.filter(kind="deny", status="effective"), "decided_at", _REVIEWS)
_shows(
    "322",
    "Registrations decided by regulators",
    lambda: AggregatorRegistration.objects.exclude(decided_by=None),
    "registered_on",
    _AGGREGATORS,
)
_shows("336", "Filed changes of registered DERs", lambda: Submission.objects.exclude(kind="register"), "submitted_at", _SUBMISSIONS)
_shows("338", "Performance stated after a change", lambda: Aggregation.objects.exclude(stated_on=None), "stated_on", _AGGREGATIONS)
_shows("352", "Signed participation agreements", AgreementSignature.objects.all, "signed_at", _AGGREGATORS)
_shows("352", "Attested filings", lambda: Submission.objects.exclude(attestation_sha256=""), "submitted_at", _SUBMISSIONS)
