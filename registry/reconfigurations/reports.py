"""What held when, as known when; and the consequences of a reconfiguration as pages show them."""

from dataclasses import dataclass
from datetime import date, datetime

from moc import rules
from registry.grid.models import Feeder, Pnode, ServicePoint, Substation, TdInterface, Transformer
from registry.reconfigurations.models import FormerConnection, Reconfiguration


@dataclass(frozen=True)
class Connection:
    """Where a service point was connected on a day, as known at a moment. `until` is open for what was the last known."""

    feeder: str
    transformer: str
    node: str
    since: date | None
    until: date | None
    recorded_at: datetime


def connection(point: ServicePoint, day: date, known: datetime) -> Connection | None:
    """What held on `day`, as the registry knew it at `known`; None where the service point was not known then."""
    rows = FormerConnection.objects.filter(service_point=point).known(known)
    former = rows.on(day).select_related("feeder", "transformer", "pnode").order_by("-recorded_at", "-id").first()
    if former:
        days = former.valid_during
        names = [str(each or "") for each in (former.feeder, former.transformer, former.pnode)]
        return Connection(*names, days.lower, days.upper, former.recorded_at)
    standing = _stood(ServicePoint, point.pk, known)
    if standing is None:
        return None
    feeder, transformer = _stood(Feeder, standing.feeder_id, known), _stood(Transformer, standing.transformer_id, known)
    last = rows.order_by("-recorded_at", "-id").values_list("valid_during", flat=True).first()
    names = (feeder.code if feeder else "", transformer.code if transformer else "", _node(feeder, known))
    return Connection(*names, last.upper if last else None, None, standing.history_date)


def _stood(model, pk: int | None, known: datetime):
    """A grid record's version at a moment."""
    return model.history.model.objects.filter(id=pk).as_of(known).first() if pk else None


def _node(feeder, known: datetime) -> str:
    """The pricing node of a feeder, all the way up as it was known."""
    substation = _stood(Substation, feeder.substation_id, known) if feeder else None
    interface = _stood(TdInterface, substation.td_interface_id, known) if substation else None
    node = _stood(Pnode, interface.pnode_id, known) if interface else None
    return node.name if node else ""


def shown(made: Reconfiguration) -> list[dict]:
    """The aggregations that it touches, those that break a rule first, each with the rules' sentences."""
    found = [each | {"rules": [rules.registry[code] for code in each["breaks"]]} for each in made.preview.get("aggregations", ())]
    return sorted(found, key=lambda each: (not each["breaks"], -each["new_node"], each["name"]))
