"""Verbs of a registered DER: its lifecycle after registration."""

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from moc.access import policy
from moc.errors import UserError
from registry.ders.models import Der


def move(*, actor, der: Der | QuerySet, name: str, reason: str = "") -> int:
    """Make a transition of the lifecycle for one DER or a set, all or nothing; returns how many moved.

    Raises NotPermitted, UserError (no reason given) or TransitionRefused; then nothing has moved. A decommissioned DER gets the day.
    """
    transition = Der.lifecycle.transitions[name]
    rows = Der.objects.filter(pk=der.pk) if isinstance(der, Der) else der
    require(actor, transition.permission, der, rows)
    if transition.needs_reason and not reason.strip():
        raise UserError("This change needs a reason.", "Say why in a sentence.", "REASON_MISSING")
    values = {"decommissioned_on": _last_day()} if transition.target == Der.Status.DECOMMISSIONED else {}
    return Der.lifecycle.move(rows, name, actor=actor, reason=reason.strip() or transition.title, **values)


def require(actor, permission: str, der: Der | QuerySet, rows: QuerySet) -> None:
    """Refuse an actor who lacks the permission for any of the DERs."""
    if isinstance(der, Der):
        policy.require(actor, permission, der)
    elif actor is not None and rows.exclude(pk__in=Der.objects.visible_to(actor, permission).values("pk")).exists():
        raise policy.NotPermitted(f"{actor} may not {permission.replace('_', ' ')} for all of these DERs.")


def _last_day() -> Coalesce:
    """The day filed, or today, but no day before commissioning."""
    return Coalesce(F("decommissioned_on"), Greatest(Value(timezone.localdate()), F("commissioned_on")))
