"""The platform's models, by slice."""

from moc.access.machines import MachineClient, MachineCredential, MachineToken, UsedAssertion
from moc.access.models import ApiToken, Membership, Organization, OrganizationUserObjectPermission, Oversight, User
from moc.access.support import SupportAct, SupportGrant
from moc.accesslog.models import AccessEntry, ExportEntry
from moc.accounts.models import (
    AdministratorGrant,
    Admission,
    Invitation,
    SignInDomain,
    SignInFailures,
    SignInProvider,
)
from moc.documents.models import Document, Letter
from moc.jobs.models import Job
from moc.notices.models import Notice
from moc.public.models import Publication, PublishedCell
from moc.reports.models import ReportDefinition, ReportRun
from moc.rulesets.models import RuleChange, RuleSet
from moc.seals.models import Archive, Seal, SealedBlock, SealedTable, Verification
from moc.snapshots.models import Snapshot
from moc.takeouts.models import Takeout
from moc.vault.models import DataKey, SubjectKey
from moc.webhooks.models import Delivery, Event, Webhook

__all__ = [
    "AdministratorGrant",
    "Admission",
    "AccessEntry",
    "ApiToken",
    "Archive",
    "DataKey",
    "Delivery",
    "Document",
    "Event",
    "ExportEntry",
    "Invitation",
    "Job",
    "Letter",
    "MachineClient",
    "MachineCredential",
    "MachineToken",
    "Membership",
    "Notice",
    "Organization",
    "OrganizationUserObjectPermission",
    "Oversight",
    "Publication",
    "PublishedCell",
    "ReportDefinition",
    "ReportRun",
    "RuleChange",
    "RuleSet",
    "Seal",
    "SealedBlock",
    "SealedTable",
    "SignInDomain",
    "SignInFailures",
    "SignInProvider",
    "Snapshot",
    "SupportAct",
    "SupportGrant",
    "UsedAssertion",
    "Takeout",
    "SubjectKey",
    "User",
    "Verification",
    "Webhook",
]
