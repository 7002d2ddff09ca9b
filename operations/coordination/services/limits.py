"""The limits of interfaces, by their utility or RTO, and of transmission lines, by their RTO."""

from django.db import transaction

from moc.access import policy
from moc.errors import UserError
from moc.history import acting
from moc.jobs import services as jobs
from operations.coordination.models import InterfaceLimit, MonitoredLine
from operations.outages.services import log
from operations.outages.services.course import OF_RTO, OF_UTILITY
from registry.grid.models import TdInterface

FOLLOWS = "operations.coordination.tasks.follow"


def may_set(user, interface: TdInterface) -> bool:
    """The interface's utility and its RTO."""
    return policy.allows(user, OF_UTILITY, interface.edc) or policy.allows(user, OF_RTO, interface.pnode.tso)


def set_limit(*, actor, interface: TdInterface, import_kw: float, export_kw: float, source: str) -> InterfaceLimit:
    """Say what may flow through an interface; the operational log keeps what was said before. Raises NotPermitted."""
    if not may_set(actor, interface):
        raise policy.NotPermitted("You may not set limits of this interface.")
    parties = {"edc": interface.edc, "tso": interface.pnode.tso}
    said = {"import_kw": import_kw, "export_kw": export_kw}
    with transaction.atomic(), acting(actor, f"Limit of {interface}: {source}"[:300]):
        before = InterfaceLimit.objects.filter(td_interface=interface).values(*said).first() or {}
        made, _ = InterfaceLimit.objects.update_or_create(td_interface=interface, defaults=parties | said | {"source": source})
        changed = {"act": "interface_limit", "subject": str(made), "reason": source, "before": before, "after": said}
        log.write(actor=actor, **changed, **parties)
        followed(made, parties["tso"])
    return made


def set_line(*, actor, tso, code: str, flow_kw: float, limit_kw: float, factors: dict[str, float]) -> MonitoredLine:
    """Say what a line carries and how interfaces move it. factors: {"utility's slug/code of the interface": factor}.

    Raises NotPermitted, UserError (LINE-INTERFACE)."""
    policy.require(actor, OF_RTO, tso)
    interfaces = TdInterface.objects.filter(pnode__tso=tso).values_list("edc__slug", "code", "pk")
    known = {f"{slug}/{code_}": str(pk) for slug, code_, pk in interfaces}
    if strange := sorted(set(factors) - set(known)):
        raise UserError(f"There is no interface {strange[0]} of yours.", "Name it by utility and code: jcpl/TD-1.", "LINE-INTERFACE")
    values = {"limit_kw": limit_kw, "factors": {known[name]: factor for name, factor in factors.items()}}
    with transaction.atomic(), acting(actor, f"Line {code}"):
        before = MonitoredLine.objects.filter(tso=tso, code=code).values(*values).first() or {}
        made = MonitoredLine.objects.update_or_create(tso=tso, code=code, defaults=values | {"flow_kw": flow_kw})[0]
        if before != values:  # its flow alone is a measurement, not an act
            was, now = (_said(each, {pk: name for name, pk in known.items()}) for each in (before, values))
            log.write(actor=actor, act="line_limit", subject=f"Line {code}", tso=tso, before=was, after=now)
        followed(made, tso)
    return made


def _said(line: dict, names: dict[str, str]) -> dict:
    """A line's limit, and its factor for each interface by name."""
    factors = {names.get(pk, pk): factor for pk, factor in line.get("factors", {}).items()}
    return {name: line[name] for name in ("limit_kw",) if name in line} | factors


def followed(changed: InterfaceLimit | MonitoredLine, tso) -> None:
    """Wake who computes what can be delivered through the RTO's interfaces, once the change is committed."""
    jobs.enqueue(actor=None, task=FOLLOWS, title=f"Deliverability after: {changed}", tso=tso.pk)
