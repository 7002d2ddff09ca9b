"""The registry's models, by slice."""

from registry.ders.models import Der
from registry.grid.models import County, Feeder, Pnode, ServicePoint, ServiceTerritory, Substation, TdInterface, Transformer
from registry.participants.models import Contact, DerOwner, OrganizationIdentifier, UtilityProfile
from registry.submissions.models import Decision, Finding, StagedDer, StagedOwner, Submission, UtilityReview

__all__ = [
    "Contact",
    "County",
    "Decision",
    "Der",
    "DerOwner",
    "Feeder",
    "Finding",
    "OrganizationIdentifier",
    "Pnode",
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
