"""Agents of aggregations: what they were granted follows what the record names, and ends on a day."""

from datetime import date

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.errors import UserError
from moc.history import acting
from moc.notices.services import tell
from registry.aggregations.models import AGENTS, AgentGrant, Aggregation

EVENT, SEES = "agent", "view_registry"
UNSEEN = (Aggregation.Status.DRAFT, Aggregation.Status.RETIRED)


def settle(held: Aggregation) -> None:
    """Grant what the record's agents need and take back what former ones had; nothing while it is a draft or retired. Inside acting().

    The aggregator itself needs no grant. Whoever gains or loses one is told.
    """
    wanted = {} if held.status in UNSEEN else {name: getattr(held, name) for name in AGENTS if getattr(held, name) != held.aggregator}
    standing = AgentGrant.objects.filter(content_object=held).select_related("permission", "organization")
    for grant in standing.select_for_update(of=("self",)):
        if wanted.get(grant.role) == grant.organization:
            del wanted[grant.role]
        else:
            _take_back(grant, held)
    for role, agent in wanted.items():
        AgentGrant.objects.create(
            permission=_permission(role),
            content_object=held,
            organization=agent,
            aggregator=held.aggregator,
            starts_on=timezone.localdate(),
        )
        url = reverse("registry:aggregation_detail", args=[held.uuid])
        tell(agent, SEES, event=EVENT, subject=f"{held.aggregator} made you {_label(role)} of {held}", url=url, aggregation=held)


def end(*, actor, aggregation: Aggregation, role: str, ends_on: date | None = None) -> None:
    """An agency ends on a day, the first without it: today at once, a later day when it comes. Then the aggregator does it itself.

    Raises UserError for a role that no other party has, and for a past day.
    """
    policy.require(actor, "file_ders", aggregation.aggregator)
    today = timezone.localdate()
    day = ends_on or today
    if day < today:
        raise UserError("An agency ends today or later.", "Choose a day.", "AGENT-PAST")
    with transaction.atomic(), acting(actor, f"The {_label(role)} ends on {day}"):
        held = Aggregation.objects.select_for_update().get(pk=aggregation.pk)
        grant = AgentGrant.objects.filter(content_object=held, permission__codename=role).first()
        if grant is None:
            raise UserError(f"No other party is {_label(role)}.", "Look at its agents.", "AGENT-NONE")
        if day == today:
            _return(held, role)
        else:
            AgentGrant.objects.filter(pk=grant.pk).update(ends_on=day)


def end_due() -> int:
    """The agencies whose first day without them has come; returns how many ended. Idempotent."""
    due = AgentGrant.objects.filter(ends_on__lte=timezone.localdate()).order_by("content_object", "pk")
    ended = 0
    for pk, role in list(due.values_list("content_object", "permission__codename")):
        with transaction.atomic(), acting(None, "system: the agency's last day is over"):
            held = Aggregation.objects.select_for_update().get(pk=pk)
            if due.filter(content_object=held, permission__codename=role).exists():
                _return(held, role)
                ended += 1
    return ended


def _return(held: Aggregation, role: str) -> None:
    """The aggregator is its own agent again."""
    setattr(held, role, held.aggregator)
    held.save(update_fields=[role])
    settle(held)


def _take_back(grant: AgentGrant, held: Aggregation) -> None:
    role, agent = grant.role, grant.organization
    grant.delete()
    tell(agent, SEES, event=EVENT, subject=f"You are no longer {_label(role)} of an aggregation of {held.aggregator}", url="")


def _permission(role: str) -> Permission:
    return Permission.objects.get(content_type=ContentType.objects.get_for_model(Aggregation), codename=role)


def _label(role: str) -> str:
    return role.replace("_", " ")
