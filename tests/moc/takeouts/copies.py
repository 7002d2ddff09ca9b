"""What one utility has, planted for another: each row copied along its foreign keys, with a mark in its texts."""

import uuid

from django.core.files.base import ContentFile
from django.db import models

from moc.access import policy
from moc.access.models import Membership, Organization, OrganizationUserObjectPermission, Oversight, User
from moc.accounts.models import Admission
from moc.apps import own_models
from moc.history import acting
from moc.rulesets.models import RuleChange
from moc.snapshots.models import Snapshot
from moc.takeouts.archive import WORDS
from moc.vault.models import DataKey, SubjectKey
from operations.coordination.models import DeliverabilityRun, LineEvent, LineTouched, MonitoredLine
from operations.responses.models import OutageResponse
from registry.aggregations.models import AgentGrant, Aggregation, AggregationMember, AggregationPnode, AggregationUtility
from registry.aggregators.models import AggregatorRegistration, AgreementSignature, Certification, Officer, RtoMembership
from registry.ders.models import DerTenure
from registry.grid.models import ServiceTerritory
from registry.participants.models import UtilityProfile
from registry.prequalification.models import BrokenRule, MarketDecision, Offer
from registry.submissions.membership import MemberValidation
from registry.submissions.switching import LookUp
from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.models import BundleItem, Dispute, DisputePart
from tests.factories.world import World

# the second utility has its own of these already, and a copy would make its people the first's; an admission is of an aggregator;
# a tenure begins with its DER; a key opens in its own party's hands only; an aggregation
# is the utility's from its filing on, and a copy begins as a draft, with what it offers;
# a registration and its law are between an aggregator and its regulator, a look-up is an aggregator's, and the scene has nothing
# about a DER of what may be about an aggregation; a dispute begins between its own parties, and those of the scene are further;
# the scene's snapshot is a regulator's; lines and what is deliverable through them are an RTO's
NOT_COPIED = {
    AgentGrant,
    AggregatorRegistration,
    AgreementSignature,
    BrokenRule,
    BundleItem,
    Certification,
    Determination,
    Dispute,
    DisputePart,
    SettlementProposal,
    LookUp,
    MarketDecision,
    MemberValidation,
    Officer,
    Offer,
    RuleChange,
    RtoMembership,
    Admission,
    Aggregation,
    AggregationMember,
    AggregationPnode,
    AggregationUtility,
    DataKey,
    DerTenure,
    SubjectKey,
    OutageResponse,
    DeliverabilityRun,
    LineEvent,
    LineTouched,
    MonitoredLine,
    Membership,
    Oversight,
    Organization,
    OrganizationUserObjectPermission,
    ServiceTerritory,
    Snapshot,
    UtilityProfile,
}


def copied_models() -> list[type[models.Model]]:
    """Every model with parties, those that others point at first."""
    left = [model for model in own_models() if set(model.access_paths) - WORDS and model not in NOT_COPIED]
    ordered = []
    while left:
        ready = [model for model in left if not _needed(model) & (set(left) - {model})]
        ordered += ready
        left = [model for model in left if model not in ready]
    return ordered


def _needed(model) -> set:
    return {field.related_model for field in model._meta.concrete_fields if field.is_relation}


def plant(world: World, mark: str) -> set[type[models.Model]]:
    """Copy what the first utility is a party to, for the second one and the second aggregator; returns the models that had rows."""
    parties = {world.edc.pk: world.edc2.pk, world.aggregator.pk: world.aggregator2.pk}
    known: dict[tuple, object] = {}
    planted = set()
    with acting(None, "system: tests"):
        for organization in (world.edc2, world.aggregator2):
            Organization.objects.filter(pk=organization.pk).update(name=f"{mark} {organization.slug}", legal_name=mark)
        known |= _seats_of_machines(world, parties)
        for model in copied_models():
            for row in _standing(policy.part_of(model._base_manager.all(), world.edc)).order_by("pk"):
                before = row.pk
                known[model, before] = _copy(row, parties, known, mark)
                planted.add(model)
    return planted


def _standing(rows: models.QuerySet) -> models.QuerySet:
    """Without what is about an aggregation, where a DER could be the subject as well: aggregations are not copied."""
    about = {field.name for field in rows.model._meta.concrete_fields}
    return rows.filter(aggregation=None) if {"aggregation", "der"} <= about and rows.model is not AggregationMember else rows


def _seats_of_machines(world: World, parties: dict) -> dict:
    """A membership of the second utility for each machine client of the first, which has one of its own."""
    seats = {}
    for seat in Membership.objects.filter(organization=world.edc, user__kind=User.Kind.MACHINE):
        program = User.objects.create(email=f"{uuid.uuid4()}@machine.invalid", kind=User.Kind.MACHINE)
        seats[Membership, seat.pk] = Membership.objects.create(user=program, organization_id=parties[world.edc.pk], role=seat.role).pk
    return seats


def _copy(row: models.Model, parties: dict, known: dict, mark: str):
    number = row.pk
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if field.is_relation:
            mapped = parties.get(value, value) if field.related_model is Organization else known.get((field.related_model, value), value)
            setattr(row, field.attname, None if field.related_model is type(row) else mapped)
        elif field.primary_key:
            row.pk = None
        elif isinstance(field, models.UUIDField):
            setattr(row, field.attname, None if field.null else uuid.uuid4())  # one that names a key, names none
        elif isinstance(field, models.FileField):
            field.save_form_data(row, ContentFile(mark.encode(), name=mark))
        elif type(field) in (models.CharField, models.TextField, models.EmailField) and not field.choices and _takes(field, mark):
            setattr(row, field.attname, f"{mark}{value or number}"[: field.max_length])
    if hasattr(row, "lifecycle"):
        row.status = row.status if row.status in row.lifecycle.initial else row.lifecycle.initial[0]
    row._state.adding = True
    row.save(force_insert=True)
    return row.pk


def _takes(field: models.Field, mark: str) -> bool:
    return field.max_length is None or field.max_length > len(mark)
