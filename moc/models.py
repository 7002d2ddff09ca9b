"""The platform's models, by slice."""

from moc.access.models import ApiToken, Membership, Organization, OrganizationUserObjectPermission, Oversight, User
from moc.documents.models import Document
from moc.jobs.models import Job
from moc.notices.models import Notice
from moc.rulesets.models import RuleSet
from moc.takeouts.models import Takeout

__all__ = [
    "ApiToken",
    "Document",
    "Job",
    "Membership",
    "Notice",
    "Organization",
    "OrganizationUserObjectPermission",
    "Oversight",
    "RuleSet",
    "Takeout",
    "User",
]
