"""The registry's models, by slice."""

from registry.aggregations.models import AgentGrant, Aggregation, AggregationMember, AggregationPnode, AggregationUtility
from registry.aggregators.models import (
    AggregatorRegistration,
    AgreementSignature,
    Certification,
    Officer,
    RtoMembership,
    Suspension,
)
from registry.catalogue.models import GridService
from registry.customers.models import OwnerAccount, PersonalUse
from registry.ders.models import Der, DerTenure
from registry.grid.models import (
    County,
    Feeder,
    GridFinding,
    GridLoad,
    Pnode,
    ServicePoint,
    ServiceTerritory,
    Substation,
    TdInterface,
    Transformer,
)
from registry.intents.models import IntentNotice, IntentPoint
from registry.jurisdictions.models import Affiliation, AnnualSales, Jurisdiction, RetailProgram
from registry.participants.models import Consent, Contact, DerOwner, OrganizationIdentifier, UtilityPeriod, UtilityProfile
from registry.prequalification.models import (
    BrokenRule,
    MarketDecision,
    Offer,
    Qualification,
    QualificationOverride,
    QualificationPass,
)
from registry.reconfigurations.models import FormerConnection, Reconfiguration
from registry.rosters.models import Roster, RosterEntry, RosterFinding, RosterSheet
from registry.submissions.involvement import RegulatorPart
from registry.submissions.membership import MemberValidation, StagedMember
from registry.submissions.models import Decision, Finding, StagedDer, Submission, UtilityReview
from registry.submissions.personal import StagedOwner
from registry.submissions.switching import LookUp, SwitchNotice
from registry.utilities.models import LetterTemplate, Removal, RetentionPeriod, ReviewPractice, ReviewRule

__all__ = [
    "Affiliation",
    "AgentGrant",
    "Aggregation",
    "AggregationMember",
    "AggregationPnode",
    "AggregationUtility",
    "AnnualSales",
    "Jurisdiction",
    "RetailProgram",
    "Roster",
    "RosterEntry",
    "RosterFinding",
    "RosterSheet",
    "AggregatorRegistration",
    "AgreementSignature",
    "Certification",
    "Officer",
    "RtoMembership",
    "Suspension",
    "BrokenRule",
    "Consent",
    "Contact",
    "OwnerAccount",
    "PersonalUse",
    "County",
    "Decision",
    "Der",
    "DerOwner",
    "DerTenure",
    "Feeder",
    "Finding",
    "FormerConnection",
    "GridFinding",
    "GridLoad",
    "GridService",
    "IntentNotice",
    "IntentPoint",
    "LetterTemplate",
    "LookUp",
    "MarketDecision",
    "MemberValidation",
    "Offer",
    "OrganizationIdentifier",
    "Pnode",
    "Qualification",
    "QualificationOverride",
    "QualificationPass",
    "Reconfiguration",
    "RegulatorPart",
    "Removal",
    "RetentionPeriod",
    "ReviewPractice",
    "ReviewRule",
    "ServicePoint",
    "ServiceTerritory",
    "StagedDer",
    "StagedMember",
    "StagedOwner",
    "Submission",
    "Substation",
    "SwitchNotice",
    "TdInterface",
    "Transformer",
    "UtilityPeriod",
    "UtilityProfile",
    "UtilityReview",
]
