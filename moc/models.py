"""The platform's models, by slice."""

from moc.access.machines import MachineClient, MachineCredential, MachineToken, UsedAssertion
from moc.access.models import ApiToken, Membership, Organization, OrganizationUserObjectPermission, Oversight, User
from moc.access.support import SupportAct, SupportGrant
from moc.documents.models import Document
from moc.jobs.models import Job
from moc.notices.models import Notice
from moc.rulesets.models import RuleSet
from moc.takeouts.models import Takeout

__all__ = [
    "ApiToken",
    "Document",
    "Job",
    "MachineClient",
    "MachineCredential",
    "MachineToken",
    "Membership",
    "Notice",
    "Organization",
    "OrganizationUserObjectPermission",
    "Oversight",
    "RuleSet",
    "SupportAct",
    "SupportGrant",
    "UsedAssertion",
    "Takeout",
    "User",
]
