"""The registry's models, by slice."""

from registry.ders.models import Der
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
from registry.participants.models import Contact, DerOwner, OrganizationIdentifier, UtilityProfile
from registry.submissions.models import Decision, Finding, StagedDer, StagedOwner, Submission, UtilityReview
from registry.utilities.models import LetterTemplate, Removal, RetentionPeriod, ReviewPractice, ReviewRule

__all__ = [
    "Contact",
    "County",
    "Decision",
    "Der",
    "DerOwner",
    "Feeder",
    "Finding",
    "GridFinding",
    "GridLoad",
    "LetterTemplate",
    "OrganizationIdentifier",
    "Pnode",
    "Removal",
    "RetentionPeriod",
    "ReviewPractice",
    "ReviewRule",
    "ServicePoint",
    "ServiceTerritory",
    "StagedDer",
    "StagedOwner",
    "Submission",
    "Substation",
    "TdInterface",
    "Transformer",
    "UtilityProfile",
    "UtilityReview",
]
