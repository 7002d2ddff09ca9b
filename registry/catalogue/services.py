"""The catalogue of grid services: the shipped ones are loaded; others are drafted by one person and put in force by another."""

from django.db import transaction

from moc.access import policy
from moc.access.models import User
from moc.errors import Conflict, UserError
from moc.history import acting
from registry.catalogue.choices import SERVICES
from registry.catalogue.models import GridService

PERMISSION = "manage_rulesets"


def load() -> int:
    """Add the shipped services that are not there yet; those that people changed stay. Returns how many were added."""
    reason = "system: load_services"
    with transaction.atomic(), acting(None, reason):
        known = set(GridService.objects.values_list("pk", flat=True))
        rows = [GridService(code=code, name=name, level=level) for code, name, level in SERVICES if code not in known]
        made = GridService.objects.bulk_create(rows)
        GridService.lifecycle.move(GridService.objects.filter(pk__in=[row.pk for row in made]), "approve", actor=None, reason=reason)
        return len(made)


def draft(*, actor, code: str, name: str, level: str) -> GridService:
    """A service to be; `level` is a choices.Level. Raises Conflict where the code is taken."""
    policy.require(actor, PERMISSION, GridService())
    with acting(actor, f"Service drafted: {code}"):
        if GridService.objects.filter(pk=code).exists():
            raise Conflict(f"There is a service {code} already.", "Choose another code.", "SERVICE-CODE")
        return GridService.objects.create(code=code, name=name, level=level, drafted_by=actor)


@transaction.atomic
def move(*, actor, service: GridService, name: str, reason: str = "") -> None:
    """Approve or withdraw a draft. Raises NotPermitted for a machine, UserError for one's own draft."""
    policy.require(actor, PERMISSION, service)
    values = {}
    if name == "approve":
        if actor.kind != User.Kind.PERSON:  # else whoever drafted it could use a program of the same organisation
            raise policy.NotPermitted("A person puts a service in force.")
        held = GridService.objects.select_for_update().get(pk=service.pk)
        if held.drafted_by_id == actor.pk:
            raise UserError("Another person puts a service in force than the one who drafted it.", "Ask a colleague.", "FOUR-EYES")
        values["approved_by"] = actor
    GridService.lifecycle.move(GridService.objects.filter(pk=service.pk), name, actor=actor, reason=reason, **values)
