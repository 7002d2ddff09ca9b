"""The workplace's part of the access matrix: who reads a record there, who changes, adds and removes one, and with what."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

from django.contrib import admin
from django.db.models import Model
from django.utils import timezone

from moc.vault.models import SubjectKey
from tests.contracts.matrix import Route, Write
from tests.contracts.scene import NOBODY, OWN, Scene, who

OPERATOR_ADMINISTRATORS = who("operator:administrator", "operator2:administrator")
OPERATOR_AUDITORS = OPERATOR_ADMINISTRATORS | who("operator:auditor")
ENTER = who("*:auditor|administrator", *(f"{kind}2:administrator" for kind in ("aggregator", "edc", "tso", "rerra", "operator")))
OF_UTILITY = who("edc:auditor|administrator", "tso:auditor|administrator", "rerra:auditor|administrator")
OF_ACCESS = OF_UTILITY | OPERATOR_AUDITORS
OF_BOTH = OF_UTILITY | who("aggregator:auditor|administrator")
OF_MARKET = who("aggregator:auditor|administrator", "tso:auditor|administrator")
OF_AGGREGATOR = who("aggregator:auditor|administrator") | OPERATOR_AUDITORS
DAYS = {"valid_during_0": "2026-01-01", "valid_during_1": ""}
OF_REGISTRATION = who("aggregator:auditor|administrator", "rerra:auditor|administrator")
GRID = who("edc:administrator")
POLICY = {"method": "group", "robust": "on", "v_min_pu": "0.95", "v_max_pu": "1.05", "loading_percent": "100"}
POLICY |= {"default_import_kw": "5", "default_export_kw": "1.5", "outage_import_kw": "2", "outage_export_kw": "0"}
LAWGIVERS = who(*(f"{kind}{second}:administrator" for kind in ("tso", "rerra", "operator") for second in ("", "2")))
REPORT = {"source": "ders", "name": "DERs", "format": "csv", "every": "", "columns": ["external_id"]}
PERSONAL_ENTER = who("aggregator:administrator", "edc:administrator", "aggregator2:administrator", "edc2:administrator")
MEMBERS_ENTER = who("*:administrator", *(f"{kind}2:administrator" for kind in ("aggregator", "edc", "tso", "rerra", "operator")))
VERIFIERS = who("rerra:auditor|administrator", "rerra2:administrator") | OPERATOR_AUDITORS
UTILITIES = who("edc:administrator", "edc2:administrator") | OPERATOR_ADMINISTRATORS  # whose form has no utility to choose


@dataclass(frozen=True)
class Record:
    """A kind of record in the workplace.

    `obj`: the scene's; `sees`: who reads it; `lists`: who opens the list. `changes`: who changes it, with `change` laid over the form's
    own values; `adds`: who opens the form of a new one; `added_by`: who may add the one of `add`. `removes`: who removes it (or another,
    `removed`).
    """

    obj: Callable[[Scene], Model]
    sees: frozenset[str]
    lists: frozenset[str] = ENTER
    changes: frozenset[str] = NOBODY
    change: dict | Callable[[Scene], dict] | None = None
    adds: frozenset[str] = NOBODY
    added_by: frozenset[str] = NOBODY
    add: dict | Callable[[Scene], dict] | None = None
    removes: frozenset[str] = NOBODY


def first(model: str) -> Callable[[Scene], Model]:
    """The first of the utility "edc"."""
    return lambda scene: admin_model(model)._default_manager.filter(edc=scene.world.edc).order_by("pk").first()


def admin_model(label: str):
    return next(model for model in admin.site._registry if model.__name__ == label)


def grid(label: str, add: Callable[[Scene], dict], **change) -> Record:
    return Record(first(label), OF_UTILITY, changes=GRID, change=change, adds=UTILITIES, added_by=GRID, add=add)


def public(obj: Callable[[Scene], Model], add: Callable[[Scene], dict] | dict, permission=OPERATOR_ADMINISTRATORS, **change) -> Record:
    return Record(obj, ENTER, changes=permission, change=change, adds=permission, added_by=permission, add=add)


def _pk(scene: Scene, model: str) -> int:
    return first(model)(scene).pk


# records that are read in the workplace and changed nowhere there, of a utility and of it and its aggregator: model and name in the scene
OF_THE_UTILITY = dict(
    pair.split(":")
    for pair in (
        "NetworkVersion:network NetworkElement:network_element NetworkPoint:network_point NetworkFinding:network_finding "
        "NetworkArrays:network_arrays SubjectReading:subject_reading Forecast:forecast MeterDay:meter_day HostingNode:hosting_node "
        "InterfaceLimit:interface_limit InterfaceResult:interface_result TransformerAlarm:alarm InterconnectionStudy:interconnection "
        "ReviewScreen:review_screen EnvelopeRun:envelope_run EnvelopeBlock:envelope_block HostingMap:hosting_map SubjectState:subject_state"
    ).split()
)

OF_BOTH_PARTIES = dict(
    pair.split(":")
    for pair in (
        "Reading:taken_reading DerState:der_state GridEvent:grid_event TouchedDer:touched_der EnvelopePoint:envelope Submission:submission "
        "TelemetryCheck:telemetry_check LogEntry:operational_log ReliabilityFinding:reliability LineTouched:line_touched Decision:decision "
        "DerOutage:outage Finding:finding StagedDer:row LineEvent:line_event UtilityReview:review "
        "EnvelopeReceipt:envelope_receipt EnvelopeOutcome:envelope_outcome SettingsReadback:settings_readback ScreenFinding:screen_finding"
    ).split()
)

RECORDS: dict[str, Record] = {
    "User": Record(lambda scene: scene.user(OWN), OPERATOR_AUDITORS, changes=OPERATOR_ADMINISTRATORS, change={"name": "Another name"}),
    "Organization": Record(
        lambda scene: scene.world.edc,
        OF_ACCESS,
        changes=OPERATOR_ADMINISTRATORS,
        change={"legal_name": "Another, Inc."},
        adds=OPERATOR_ADMINISTRATORS,
        added_by=OPERATOR_ADMINISTRATORS,
        add={"kind": "edc", "name": "New", "slug": "new", "is_active": "on"},
    ),
    "Membership": Record(
        lambda scene: scene.seat,
        OF_ACCESS,
        changes=who("edc:administrator"),
        change=lambda scene: {"is_active": ""},
        adds=MEMBERS_ENTER,
        added_by=OPERATOR_ADMINISTRATORS,  # others cannot choose people whom they do not see: they invite
        add=lambda scene: {"user": scene.world.nobody.pk, "organization": scene.newcomer.pk, "role": "viewer"},
    ),
    "Oversight": Record(
        lambda scene: scene.world.tso.oversees.get(),
        OF_ACCESS,
        changes=OPERATOR_ADMINISTRATORS,
        change=lambda scene: {"overseen": scene.world.edc2.pk},
        adds=OPERATOR_ADMINISTRATORS,
        added_by=OPERATOR_ADMINISTRATORS,
        add=lambda scene: {"overseer": scene.world.tso2.pk, "overseen": scene.world.edc.pk},
        removes=OPERATOR_ADMINISTRATORS,
    ),
    "OrganizationUserObjectPermission": Record(lambda scene: scene.grant, OF_AGGREGATOR),
    "Invitation": Record(lambda scene: scene.invitation, OF_UTILITY),
    "AdministratorGrant": Record(lambda scene: scene.promotion, OF_ACCESS),
    "Admission": Record(
        lambda scene: scene.admission,
        who("rerra:administrator") | OPERATOR_ADMINISTRATORS,
        lists=who("rerra:administrator", "rerra2:administrator") | OPERATOR_ADMINISTRATORS,
    ),
    "AggregatorRegistration": Record(lambda scene: scene.registration, OF_REGISTRATION),
    "Officer": Record(lambda scene: scene.officer, OF_REGISTRATION),
    "Certification": Record(lambda scene: scene.certification, OF_REGISTRATION),
    "RtoMembership": Record(lambda scene: scene.membership, OF_REGISTRATION | who("tso:auditor|administrator")),
    "AgreementSignature": Record(lambda scene: scene.signature, OF_REGISTRATION),
    "Suspension": Record(lambda scene: scene.suspension, OF_UTILITY),
    "OwnerAccount": Record(lambda scene: scene.owner_account, who("edc:administrator"), lists=PERSONAL_ENTER),
    "Consent": Record(lambda scene: scene.consent, OF_BOTH),
    "PersonalUse": Record(lambda scene: scene.personal_use, OF_BOTH),
    "Jurisdiction": public(
        lambda scene: scene.jurisdiction,
        lambda scene: DAYS | {"rerra": scene.world.rerra.pk, "edc": scene.world.edc2.pk, "county": scene.world.counties[0].pk},
        valid_during_1="2027-01-01",
    ),
    "AnnualSales": public(
        lambda scene: scene.sales,
        lambda scene: {"edc": scene.world.edc.pk, "year": "2019", "sales_mwh": "9", "source": "A form"},
        source="B",
    ),
    "Affiliation": public(
        lambda scene: scene.affiliation,
        lambda scene: DAYS | {"edc": scene.world.edc.pk, "aggregator": scene.world.aggregator2.pk, "source": "A filing"},
        source="Another",
    ),
    "IntentNotice": Record(lambda scene: scene.intent, OF_BOTH),
    "IntentPoint": Record(lambda scene: scene.intent_point, OF_BOTH),
    "RegulatorPart": Record(lambda scene: scene.regulator_part, OF_BOTH),
    "StagedMember": Record(lambda scene: scene.staged_member, OF_BOTH),
    "MemberValidation": Record(lambda scene: scene.joining, OF_MARKET),
    "RetailProgram": public(
        lambda scene: scene.program,
        lambda scene: DAYS | {"edc": scene.world.edc.pk, "code": "DR", "name": "DR", "kind": "demand_response", "tariff": "T-2"},
        name="Another",
        pays_for="energy",
    ),
    "Roster": Record(lambda scene: scene.roster, OF_UTILITY),
    "RosterEntry": Record(lambda scene: scene.roster_entry, OF_UTILITY),
    "RosterSheet": Record(lambda scene: scene.roster.sheet, OF_UTILITY),
    "RosterFinding": Record(lambda scene: scene.roster_finding, OF_BOTH),
    "SignInProvider": Record(lambda scene: scene.sign_in_provider, OF_UTILITY),
    "SignInDomain": Record(lambda scene: scene.sign_in_domain, OF_ACCESS),
    "SignInFailures": Record(lambda scene: scene.failures, OPERATOR_AUDITORS),
    "ApiToken": Record(lambda scene: scene.token, OPERATOR_AUDITORS),
    "MachineClient": Record(lambda scene: scene.client, OF_UTILITY),
    "MachineCredential": Record(lambda scene: scene.credential, OF_UTILITY),
    "MachineToken": Record(lambda scene: scene.machine_token, OF_UTILITY),
    "UsedAssertion": Record(lambda scene: scene.assertion, OF_UTILITY),
    "SupportGrant": Record(lambda scene: scene.support, OF_UTILITY | who("operator:auditor|administrator")),
    "SupportAct": Record(lambda scene: scene.act, OF_UTILITY | who("operator:auditor|administrator")),
    "Document": Record(lambda scene: scene.document, OF_BOTH),
    "Job": Record(lambda scene: scene.job, OPERATOR_AUDITORS),
    "Notice": Record(lambda scene: scene.notice, NOBODY),
    "Preference": Record(lambda scene: scene.preference, NOBODY),
    "Letter": Record(lambda scene: scene.printed, OF_UTILITY | OF_BOTH),
    "PublishedCell": Record(lambda scene: scene.published, ENTER),
    "Publication": Record(lambda scene: scene.publication, ENTER),
    "ReportDefinition": Record(
        lambda scene: scene.report,
        OF_UTILITY,
        adds=ENTER,
        added_by=who("edc:auditor|administrator"),
        add=lambda scene: REPORT | {"organization": scene.world.edc.pk},
    ),
    "ReportRun": Record(lambda scene: scene.report_run, OF_UTILITY),
    "Webhook": Record(lambda scene: scene.webhook, OF_UTILITY),
    "Event": Record(lambda scene: scene.event, OF_UTILITY),
    "Delivery": Record(lambda scene: scene.delivery, OF_UTILITY),
    "RuleSet": Record(lambda scene: scene.ruleset, ENTER, changes=OPERATOR_ADMINISTRATORS, change={"source": "another tariff"}),
    "County": public(
        lambda scene: scene.world.counties[0], {"fips": "34005", "name": "Burlington", "state": "NJ", "population": ""}, name="Another"
    ),
    "ServiceTerritory": Record(
        first("ServiceTerritory"),
        ENTER,
        changes=OPERATOR_ADMINISTRATORS,
        change=lambda scene: {"county": scene.unserved.pk},
        adds=OPERATOR_ADMINISTRATORS,
        added_by=OPERATOR_ADMINISTRATORS,
        add=lambda scene: {"edc": scene.world.edc.pk, "county": scene.unserved.pk},
        removes=OPERATOR_ADMINISTRATORS,
    ),
    "Pnode": public(lambda scene: scene.world.tso.pnodes.first(), lambda scene: {"tso": scene.world.tso.pk, "name": "NEW"}, name="ANOTHER"),
    "TdInterface": grid(
        "TdInterface",
        lambda scene: {"edc": scene.world.edc.pk, "pnode": scene.world.tso.pnodes.first().pk, "code": "NEW", "name": "New"},
        name="Another",
    ),
    "Substation": grid(
        "Substation",
        lambda scene: {"edc": scene.world.edc.pk, "td_interface": _pk(scene, "TdInterface"), "code": "NEW", "name": "New"},
        name="Another",
    ),
    "Feeder": grid(
        "Feeder",
        lambda scene: {"edc": scene.world.edc.pk, "substation": _pk(scene, "Substation"), "code": "NEW", "nominal_kv": "13.2"},
        nominal_kv="4.16",
    ),
    "Transformer": grid(
        "Transformer",
        lambda scene: {"edc": scene.world.edc.pk, "feeder": _pk(scene, "Feeder"), "code": "NEW", "rated_kva": "50"},
        rated_kva="75",
    ),
    "ServicePoint": grid(
        "ServicePoint", lambda scene: {"edc": scene.world.edc.pk, "usage_point_id": "NEW", "county": "34025"}, address="Another street"
    ),
    "UtilityProfile": public(
        lambda scene: scene.world.edc.utility,
        lambda scene: {"edc": scene.newcomer.pk, "eia_id": "99999", "ownership": "municipal", "balancing_authority": "PJM"},
        annual_mwh="1",
    ),
    "UtilityPeriod": Record(lambda scene: scene.utility_period, ENTER),
    "OrganizationIdentifier": Record(
        lambda scene: scene.identifier,
        ENTER,
        changes=OPERATOR_ADMINISTRATORS,
        change={"value": "ANOTHER"},
        adds=OPERATOR_ADMINISTRATORS,
        added_by=OPERATOR_ADMINISTRATORS,
        add=lambda scene: {"organization": scene.world.edc.pk, "scheme": "duns", "value": "NEW"},
        removes=OPERATOR_ADMINISTRATORS,
    ),
    "Contact": Record(
        lambda scene: scene.contact,
        who("edc:administrator", "aggregator:administrator"),  # who deals with the utility is shown whom to call there
        PERSONAL_ENTER | MEMBERS_ENTER,
        changes=who("edc:administrator"),
        change={"name": "Another"},
        adds=MEMBERS_ENTER,
        added_by=who("edc:administrator"),
        add=lambda scene: {"organization": scene.world.edc.pk, "purpose": "cyber", "name": "New"},
        removes=who("edc:administrator"),
    ),
    "DerOwner": Record(lambda scene: scene.owner, who("aggregator:administrator", "edc:administrator"), PERSONAL_ENTER),
    "AccessEntry": Record(lambda scene: scene.look, OF_BOTH),
    "ExportEntry": Record(lambda scene: scene.logged_export, OF_UTILITY),
    "SubjectKey": Record(lambda scene: SubjectKey.objects.filter(data_key=scene.data_key).first(), OF_UTILITY),
    "DataKey": Record(lambda scene: scene.data_key, OF_UTILITY),
    "Der": Record(lambda scene: scene.der, OF_BOTH),
    "DerTenure": Record(lambda scene: scene.der.tenures.get(), OF_BOTH),
    "GridService": public(lambda scene: scene.service_draft, {"code": "new", "name": "New", "level": "wholesale"}, name="Another"),
    "Aggregation": Record(lambda scene: scene.aggregation, OF_BOTH),
    "AgentGrant": Record(lambda scene: scene.agent_grant, OF_BOTH),
    "AggregationUtility": Record(lambda scene: scene.aggregation_utility, OF_BOTH),
    "AggregationPnode": Record(lambda scene: scene.factor, OF_BOTH),  # the utility is an agent there
    "AggregationMember": Record(lambda scene: scene.member, OF_BOTH),
    "StagedOwner": Record(lambda scene: scene.staged_owner, who("aggregator:administrator", "edc:administrator"), PERSONAL_ENTER),
    "FormerConnection": Record(lambda scene: scene.former_connection, OF_UTILITY),
    "Reconfiguration": Record(lambda scene: scene.reconfiguration, OF_UTILITY),
    "LookUp": Record(lambda scene: scene.look_up, who("aggregator2:administrator")),
    "SwitchNotice": Record(lambda scene: scene.switch, OF_BOTH | who("aggregator2:administrator")),
    **{label: Record(attrgetter(name), OF_UTILITY) for label, name in OF_THE_UTILITY.items()},
    **{label: Record(attrgetter(name), OF_BOTH) for label, name in OF_BOTH_PARTIES.items()},
    "MonitoredLine": Record(lambda scene: scene.monitored_line, who("tso:auditor|administrator")),
    "DeliverabilityRun": Record(lambda scene: scene.deliverability_run, who("tso:auditor|administrator")),
    "OutageResponse": Record(lambda scene: scene.outage_response, OF_BOTH | who("tso:auditor|administrator")),
    "EnvelopePolicy": grid("EnvelopePolicy", lambda scene: POLICY | {"edc": scene.world.edc.pk}, loading_percent="90"),
    "GridLoad": Record(lambda scene: scene.grid_load, OF_UTILITY),
    "GridFinding": Record(lambda scene: scene.grid_finding, OF_UTILITY),
    "ReviewRule": Record(lambda scene: scene.review_rule, ENTER),
    "ReviewPractice": Record(lambda scene: scene.practice, OF_UTILITY),
    "LetterTemplate": Record(lambda scene: scene.letter, ENTER),
    "RetentionPeriod": Record(lambda scene: scene.retention, OF_UTILITY),
    "Removal": Record(lambda scene: scene.removal, OF_UTILITY),
    "Qualification": Record(lambda scene: scene.verdict, OF_BOTH),
    "BrokenRule": Record(lambda scene: scene.broken, OF_BOTH),
    "Offer": Record(lambda scene: scene.offer, OF_BOTH),
    "QualificationOverride": Record(lambda scene: scene.override, OF_BOTH),
    "MarketDecision": Record(lambda scene: scene.market_decision, OF_MARKET),
    "QualificationPass": Record(lambda scene: scene.objects["pass"], OPERATOR_AUDITORS),
    "RuleChange": Record(
        lambda scene: scene.rule_change,
        who("tso:auditor|administrator") | OPERATOR_AUDITORS,
        adds=LAWGIVERS,
        added_by=who("rerra:administrator"),
        add=lambda scene: {
            "organization": scene.world.rerra.pk,
            "key": "utility_review_days",
            "value": "45",
            "starts_on": timezone.localdate().isoformat(),
            "source": "An order",
        },
    ),
    "Dispute": Record(lambda scene: scene.dispute, OF_BOTH),
    "DisputePart": Record(lambda scene: scene.dispute_part, OF_BOTH),
    "SettlementProposal": Record(lambda scene: scene.proposal, OF_BOTH),
    "Determination": Record(lambda scene: scene.determination, OF_BOTH),
    "BundleItem": Record(lambda scene: scene.bundle_item, OF_BOTH),
    "Seal": Record(lambda scene: scene.sealed_seal, ENTER, adds=OPERATOR_ADMINISTRATORS, added_by=OPERATOR_ADMINISTRATORS, add={}),
    "Archive": Record(lambda scene: scene.archive, ENTER, adds=OPERATOR_ADMINISTRATORS, added_by=OPERATOR_ADMINISTRATORS, add={}),
    "Destruction": Record(
        lambda scene: scene.destruction,
        OPERATOR_AUDITORS,
        adds=OPERATOR_ADMINISTRATORS,
        added_by=OPERATOR_ADMINISTRATORS,
        add=lambda scene: {"archive": scene.archive.pk, "reason": "kept no longer"},
    ),
    "SealedTable": Record(lambda scene: scene.sealed_table, ENTER),
    "SealedBlock": Record(lambda scene: scene.sealed_block, OPERATOR_AUDITORS),
    "Verification": Record(lambda scene: scene.verification, ENTER, adds=VERIFIERS, added_by=VERIFIERS, add={}),
    "Snapshot": Record(lambda scene: scene.snapshot, who("rerra:auditor|administrator")),
    "Takeout": Record(lambda scene: scene.takeout, OF_UTILITY),
}


def routes() -> list[Route]:
    """Every page of the workplace."""
    labels = "|".join(dict.fromkeys(model._meta.app_label for model in admin.site._registry))
    found = [Route("admin/", ENTER), Route(f"admin/(?P<app_label>{labels})/$", ENTER)]
    for label, record in RECORDS.items():
        found += _pages(label, record)
    return found


def _pages(label: str, record: Record) -> list[Route]:
    opts = admin_model(label)._meta
    base = f"admin/{opts.app_label}/{opts.model_name}/"
    recorded = hasattr(opts.model, "history")

    def at(scene: Scene) -> dict:
        return {"object_id": record.obj(scene).pk}

    def version(scene: Scene) -> dict:
        obj = record.obj(scene)
        return {"first": obj.pk, "second": obj.history.latest().history_id if recorded else 1}

    changing = (Write(record.changes, form_values(record, at), name="change"),) if record.change is not None else ()
    adding = (Write(record.added_by, with_reason(record.add), name="add"),) if record.add is not None else ()
    removing = (Write(record.removes, {"post": "yes", "reason": "tests"}, name="delete"),) if record.removes else ()
    holding = [Route(f"{base}<path:object_id>/holds/", record.sees, at)] if label in {"User", "Organization"} else []
    return [
        *holding,
        Route(base, record.lists),
        Route(f"{base}add/", record.adds, writes=adding),
        Route(f"{base}<path:object_id>/change/", record.sees, at, changing),
        Route(f"{base}<path:object_id>/reach/", record.sees, at),
        Route(f"{base}<path:object_id>/history/", record.sees if recorded else NOBODY, at),
        Route(f"{base}([^/]+)/history/([^/]+)/$", record.sees if recorded else NOBODY, version),
        Route(f"{base}<path:object_id>/delete/", record.removes, at, removing),
    ]


def with_reason(values: dict | Callable[[Scene], dict]) -> Callable[[Scene], dict]:
    return lambda scene: {"reason": "tests", **_inlines(), **(values(scene) if callable(values) else values)}


def form_values(record: Record, at) -> Callable[[Scene], dict]:
    """The change form's own values, as its page shows them, with the change laid over them."""

    def values(scene: Scene) -> dict:
        obj = record.obj(scene)
        own = {field.name: field.value_from_object(obj) for field in obj._meta.concrete_fields}
        change = record.change(scene) if callable(record.change) else record.change
        given = {name: value for name, value in own.items() if value is not None and value is not False} | change
        period = given.pop("valid_during", None)
        if period is not None:
            given |= {"valid_during_0": period.lower or "", "valid_during_1": period.upper or ""}
        return {"reason": "tests", **_inlines(), **{name: value for name, value in given.items() if value != ""}}

    return values


def _inlines() -> dict:
    """Empty management forms of the grants beside an organisation."""
    return {f"organizationuserobjectpermission_set-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
