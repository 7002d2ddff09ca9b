"""The API: every resource's address, its OpenAPI document, and the page that shows it. N11."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.exceptions import NotFound
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from moc.accounts.api import Admissions
from moc.documents.api import Documents
from moc.jobs.api import Jobs
from moc.machines.api import MachineClients
from moc.notices.api import Notices
from moc.public.api import PublishedFigures
from moc.reports.api import ReportRuns, Reports
from moc.rest import docs
from moc.rest.changes import Changes
from moc.rest.docs import ApiPage
from moc.rest.feed import Kind
from moc.rest.permissions import SignedIn
from moc.rest.waiting import Waiting
from moc.rulesets.api import RuleSets
from moc.seals.api import Seals, Verifications
from moc.snapshots.api import Snapshots
from moc.support.api import SupportGrants
from moc.takeouts.api import Takeouts
from moc.webhooks.api import Webhooks
from operations.coordination.api import DeliverabilityRuns, InterfaceLimits, InterfaceResults, InterfaceStates, LineEvents, MonitoredLines
from operations.deferral.api import TransformerAlarms
from operations.envelopes.api import Envelopes, Receipts
from operations.envelopes.api import Runs as EnvelopeRuns
from operations.forecasts.api import Forecasts, MeterData
from operations.groups.api import EnvelopeGroups
from operations.hosting.api import HostingMaps, HostingNodes
from operations.interconnection.api import InterconnectionStudies, SettingsReadbacks
from operations.network.api import Networks
from operations.outages.api import Events, OperationalLog, Outages
from operations.outcomes.api import EnvelopeOutcomes
from operations.overview.api import FeederOverviews
from operations.reliability.api import ReliabilityFindings
from operations.responses.api import OutageResponses
from operations.screening.api import ReviewScreens, ScreenFindings
from operations.sharing.api import EnvelopePolicies
from operations.telemetry.api import States, SubjectStates, Telemetry, TelemetryChecks
from registry.administration.api import ReviewRules
from registry.aggregations.api import Aggregations, FedMemberSerializer
from registry.aggregations.models import AgentGrant, Aggregation, AggregationMember, AggregationUtility
from registry.aggregators.api import AggregatorRegistrations, Suspensions
from registry.catalogue.api import GridServices
from registry.customers.api import Consents, Own, PersonalUses
from registry.grid.api import Counties, Feeders, GridLoads, ServicePoints, Substations, TdInterfaces, Transformers
from registry.intents.api import Intents
from registry.jurisdictions.api import Affiliations, Jurisdictions, RetailPrograms, SalesByYear
from registry.participants.api import Contacts, Organizations, Utilities
from registry.prequalification.api import BrokenRules, MarketDecisions, Overrides, RuleChanges, Verdicts
from registry.reconfigurations.api import Reconfigurations
from registry.rosters.api import RosterFindings, Rosters
from registry.submissions.api.ders import FiledDers
from registry.submissions.api.members import MemberValidations
from registry.submissions.api.regulators import RegulatorParts
from registry.submissions.api.reviews import Decisions, Reviews
from registry.submissions.api.submissions import AttestationInForce, Submissions
from registry.submissions.api.switches import LookUps, Switches
from settlement.disputes.api import Determinations, DisputeParts, Disputes, SettlementProposals

RESOURCES = {
    "registry/aggregators": ("aggregator-registration", AggregatorRegistrations),
    "registry/consents": ("consent", Consents),
    "registry/own": ("own", Own),
    "registry/personal-uses": ("personal-use", PersonalUses),
    "registry/jurisdictions": ("jurisdiction", Jurisdictions),
    "registry/annual-sales": ("annual-sales", SalesByYear),
    "registry/affiliations": ("affiliation", Affiliations),
    "registry/grid-services": ("grid-service", GridServices),
    "registry/retail-programs": ("retail-program", RetailPrograms),
    "registry/rosters": ("roster", Rosters),
    "registry/roster-findings": ("roster-finding", RosterFindings),
    "registry/suspensions": ("suspension", Suspensions),
    "registry/aggregations": ("aggregation", Aggregations),
    "registry/ders": ("der", FiledDers),
    "registry/submissions": ("submission", Submissions),
    "registry/reviews": ("review", Reviews),
    "registry/decisions": ("decision", Decisions),
    "registry/organizations": ("organization", Organizations),
    "registry/utilities": ("utility", Utilities),
    "registry/contacts": ("contact", Contacts),
    "registry/counties": ("county", Counties),
    "registry/td-interfaces": ("td-interface", TdInterfaces),
    "registry/substations": ("substation", Substations),
    "registry/transformers": ("transformer", Transformers),
    "registry/grid-loads": ("grid-load", GridLoads),
    "registry/feeders": ("feeder", Feeders),
    "registry/service-points": ("service-point", ServicePoints),
    "admissions": ("admission", Admissions),
    "rulesets": ("ruleset", RuleSets),
    "documents": ("document", Documents),
    "notices": ("notice", Notices),
    "jobs": ("job", Jobs),
    "machine-clients": ("machine-client", MachineClients),
    "support-grants": ("support-grant", SupportGrants),
    "snapshots": ("snapshot", Snapshots),
    "takeouts": ("takeout", Takeouts),
    "published-figures": ("published-figure", PublishedFigures),
    "reports": ("report", Reports),
    "report-runs": ("report-run", ReportRuns),
    "webhooks": ("webhook", Webhooks),
    "seals": ("seal", Seals),
    "verifications": ("verification", Verifications),
    "registry/qualifications": ("qualification", Verdicts),
    "registry/broken-rules": ("broken-rule", BrokenRules),
    "registry/qualification-overrides": ("qualification-override", Overrides),
    "registry/market-decisions": ("market-decision", MarketDecisions),
    "rule-changes": ("rule-change", RuleChanges),
    "registry/look-ups": ("look-up", LookUps),
    "registry/switches": ("switch", Switches),
    "registry/reconfigurations": ("reconfiguration", Reconfigurations),
    "registry/intents": ("intent", Intents),
    "registry/regulator-parts": ("regulator-part", RegulatorParts),
    "registry/member-validations": ("member-validation", MemberValidations),
    "registry/review-rules": ("review-rule", ReviewRules),
    "settlement/disputes": ("dispute", Disputes),
    "settlement/parts": ("dispute-part", DisputeParts),
    "settlement/proposals": ("settlement-proposal", SettlementProposals),
    "settlement/determinations": ("determination", Determinations),
    "operations/networks": ("network", Networks),
    "operations/outages": ("outage", Outages),
    "operations/feeders": ("feeder-overview", FeederOverviews),
    "operations/interconnection-studies": ("interconnection-study", InterconnectionStudies),
    "operations/settings-readbacks": ("settings-readback", SettingsReadbacks),
    "operations/review-screens": ("review-screen", ReviewScreens),
    "operations/screen-findings": ("screen-finding", ScreenFindings),
    "operations/hosting-maps": ("hosting-map", HostingMaps),
    "operations/hosting-nodes": ("hosting-node", HostingNodes),
    "operations/transformer-alarms": ("transformer-alarm", TransformerAlarms),
    "operations/reliability-findings": ("reliability-finding", ReliabilityFindings),
    "operations/interfaces": ("interface-state", InterfaceStates),
    "operations/interface-limits": ("interface-limit", InterfaceLimits),
    "operations/monitored-lines": ("monitored-line", MonitoredLines),
    "operations/line-events": ("line-event", LineEvents),
    "operations/deliverability-runs": ("deliverability-run", DeliverabilityRuns),
    "operations/deliverability": ("deliverability", InterfaceResults),
    "operations/outage-responses": ("outage-response", OutageResponses),
    "operations/grid-events": ("grid-event", Events),
    "operations/log": ("operational-log", OperationalLog),
    "operations/states": ("state", States),
    "operations/subject-states": ("subject-state", SubjectStates),
    "operations/telemetry-checks": ("telemetry-check", TelemetryChecks),
    "operations/forecasts": ("forecast", Forecasts),
    "operations/meter-data": ("meter-data", MeterData),
    "operations/telemetry": ("telemetry", Telemetry),
    "operations/envelopes": ("envelope", Envelopes),
    "operations/envelope-runs": ("envelope-run", EnvelopeRuns),
    "operations/envelope-outcomes": ("envelope-outcome", EnvelopeOutcomes),
    "operations/envelope-receipts": ("envelope-receipt", Receipts),
    "operations/envelope-policies": ("envelope-policy", EnvelopePolicies),
    "operations/envelope-groups": ("envelope-group", EnvelopeGroups),
}

# What the feed of changes tells of; with an aggregation its members and its verdicts come into sight
FED = (
    Kind("der", FiledDers.model, FiledDers.serializer_class),
    Kind(
        "aggregation",
        Aggregation,
        Aggregations.serializer_class,
        ((AggregationUtility, "aggregation_id"), (AgentGrant, "content_object_id")),
        ("members", "qualifications"),
    ),
    Kind("member", AggregationMember, FedMemberSerializer),
    *(
        Kind(name, resource.model, resource.serializer_class)
        for name, resource in (RESOURCES[f"registry/{name}s"] for name in ("submission", "review", "decision"))
    ),
    *(
        Kind(name, resource.model, resource.serializer_class)
        for name, resource in (
            RESOURCES["registry/switches"],
            RESOURCES["registry/qualifications"],
            RESOURCES["registry/jurisdictions"],
            RESOURCES["registry/retail-programs"],
            RESOURCES["registry/utilities"],
            RESOURCES["registry/annual-sales"],
            RESOURCES["registry/affiliations"],
            RESOURCES["rulesets"],
        )
    ),
)


class Nowhere(APIView):
    """What no resource answers is a problem document too."""

    permission_classes = [SignedIn]
    schema = None

    def initial(self, request, *args, **kwargs) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound


class Drawn:
    """In the place of a generator: the document as it was drawn once."""

    def __init__(self, **kwargs):
        pass

    def get_schema(self, **kwargs) -> dict:
        return docs.schema()


class Document(SpectacularAPIView):
    """The API's own description (OpenAPI 3)."""

    permission_classes = [SignedIn]
    generator_class = Drawn  # drawing takes seconds


router = SimpleRouter(use_regex_path=False)
for prefix, (name, resource) in RESOURCES.items():
    router.register(prefix, resource, basename=f"api-{name}")

urlpatterns = [
    *router.urls,
    path("registry/attestation/", AttestationInForce.as_view(), name="api-attestation"),
    path("changes/", Changes.as_view(kinds=FED), name="api-changes"),
    path("queues/", Waiting.as_view(), name="api-queues"),
    path("schema/", Document.as_view(), name="api-schema"),
    path("docs/", ApiPage.as_view(), name="api_docs"),
    re_path("", Nowhere.as_view()),
]
