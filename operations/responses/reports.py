"""What an outage takes from an aggregation and what each answer gives back, from its members' readiness and envelopes."""

from dataclasses import dataclass, field

from django.utils import timezone

from moc import sight
from operations.envelopes.models import EnvelopePoint
from operations.envelopes.reports import now_of
from operations.outages.models import DerOutage
from operations.responses.models import OutageResponse
from operations.telemetry.models import DerState
from operations.telemetry.reports import reserves, usable_up_kw
from registry.aggregations.models import Aggregation, AggregationMember
from registry.ders.models import Der

Kind = OutageResponse.Kind
ROUNDED = 0.1  # kW by which an envelope that knows what an outage leaves may lie beside it


@dataclass(frozen=True)
class Member:
    """A DER of an aggregation, kW injected: what the device can (least, most), what its envelope leaves of that now (low, high), what it
    injects (`now`, None where nothing was heard of it or it is not ready), its room up and down from there, and whether it is out."""

    der: int
    name: str
    share: float
    least: float
    most: float
    low: float
    high: float
    now: float | None = None
    up: float = 0.0
    down: float = 0.0
    out: bool = False


@dataclass(frozen=True)
class Offer:
    """One answer with its effect, as OutageResponse keeps it."""

    kind: str
    lost_up_kw: float
    lost_down_kw: float
    regained_up_kw: float
    regained_down_kw: float
    least_kw: float
    most_kw: float
    parts: list = field(default_factory=list)

    @property
    def label(self) -> str:
        """The answer in words."""
        return Kind(self.kind).label

    @property
    def values(self) -> dict:
        """The effect alone."""
        names = ("lost_up_kw", "lost_down_kw", "regained_up_kw", "regained_down_kw", "least_kw", "most_kw")
        return {name: round(getattr(self, name), 3) for name in names}


def aggregations_of(outage: DerOutage):
    """The filed aggregations of the outage's aggregator of which the DER is a member today."""
    members = AggregationMember.objects.on(timezone.localdate()).filter(der=outage.der_id, aggregator=outage.aggregator_id)
    found = Aggregation.objects.filter(pk__in=members.order_by().values("aggregation")).exclude(status=Aggregation.Status.DRAFT)
    return found.select_related("tso", "aggregator").order_by("name")


def offers(outage: DerOutage, aggregation: Aggregation) -> list[Offer]:
    """The four answers to an outage for an aggregation; those of no effect too, so that one sees that they have none."""
    members = members_of(aggregation)
    out = next((each for each in members if each.der == outage.der_id), None)
    if out is None:
        return []
    left = float(outage.available_kw)
    lost = out.share * max(0.0, out.high - left), out.share * max(0.0, -out.low if outage.kind == DerOutage.Kind.OUTAGE else 0.0)
    others = [each for each in members if not each.out and each.der != outage.der_id]
    before = _sum(members, "low"), _sum(members, "high")
    if aggregation.upper_limit_kw is not None and aggregation.lower_limit_kw is not None:
        before = float(aggregation.lower_limit_kw), float(aggregation.upper_limit_kw)
    after = before[0] + lost[1], before[1] - lost[0]

    def offer(kind: str, given: tuple[float, float], parts: list) -> Offer:
        up, down = min(given[0], lost[0]), min(given[1], lost[1])
        return Offer(kind, *lost, up, down, after[0] - down, after[1] + up, parts)

    heard = [each for each in others if each.now is not None]
    now = sum(each.share * each.now for each in heard)
    told = now + sum(each.share * each.up for each in heard), now - sum(each.share * each.down for each in heard)
    return [
        offer(Kind.SUBSTITUTE, *_cover(lost, [(each, each.up, each.down) for each in heard])),
        offer(Kind.REDECLARE, (max(0.0, told[0] - after[1]), max(0.0, after[0] - told[1])), []),
        offer(Kind.ROOM, *_cover(lost, [(each, each.most - each.high, each.low - each.least) for each in others])),
        offer(Kind.DERATE, (0.0, 0.0), []),
    ]


def _sum(members: list[Member], name: str) -> float:
    return sum(each.share * getattr(each, name) for each in members)


def _cover(lost: tuple[float, float], rooms: list[tuple[Member, float, float]]) -> tuple[tuple[float, float], list]:
    """Members by their room, the largest first, until what was lost is covered: (up, down) in all, and [id, up, down, least, most] of
    each: the injection to which its envelope would reach with its part; 0 where it has none."""
    parts: dict[int, list] = {}
    given = [0.0, 0.0]
    for way in (0, 1):
        for member, *room in sorted(rooms, key=lambda each: -each[1 + way] * each[0].share):
            taken = min(member.share * room[way], lost[way] - given[way])
            if taken > 1e-6:
                part = parts.setdefault(member.der, [member.der, 0.0, 0.0, 0.0, 0.0])
                part[1 + way] = round(taken, 3)
                part[4 - way] = round(member.low - taken / member.share if way else member.high + taken / member.share, 3)
                given[way] += taken
    return (given[0], given[1]), list(parts.values())


@sight.engine()  # whoever may see an aggregation may see what it can do; its members' states stand under their own parties
def members_of(aggregation: Aggregation) -> list[Member]:
    """The members of today, each once with its largest share, with what they can do at this moment."""
    rows = AggregationMember.objects.on(timezone.localdate()).filter(aggregation=aggregation)
    shares: dict[int, float] = {}
    for der, share in rows.order_by().values_list("der", "share_percent"):
        shares[der] = max(shares.get(der, 0.0), float(share) / 100)
    points = {point.der_id: point for point in EnvelopePoint.objects.filter(der__in=shares)}
    limits = now_of(list(points.values())) if points else {}
    envelopes = {der: limits[point.pk] for der, point in points.items()}
    states = {state.der_id: state for state in DerState.objects.with_readiness("ready").filter(der__in=shares)}
    out, kept = dict(DerOutage.objects.filter(der__in=shares, status="active").values_list("der", "available_kw")), reserves(list(shares))
    columns = ("pk", "external_id", "nameplate_ac_kw", "approved_export_kw", "approved_import_kw", "max_charge_kw")
    found = []
    for pk, name, nameplate, export, import_, charge in Der.objects.filter(pk__in=shares).order_by("pk").values_list(*columns):
        least = -float(next((value for value in (import_, charge) if value is not None), 0))
        most = float(next((value for value in (export, nameplate) if value is not None), 0))
        down, up = envelopes.get(pk, (-least, most))
        if pk in out and _knows(left := float(out[pk]), down, up):  # what is lost is what the device could
            down, up = down if left else -least, most
        facts = {"share": shares[pk], "least": least, "most": most, "low": max(least, -down), "high": min(most, up), "out": pk in out}
        found.append(Member(pk, name, **facts, **_ready(states.get(pk), kept.get(pk), facts)))
    return found


def _knows(left: float, down: float, up: float) -> bool:
    """Whether an envelope (kW drawn and injected) knows already of the outage that leaves a DER so much to inject."""
    return abs(up - left) <= ROUNDED and (left > 0 or not down)


def _ready(state: DerState | None, reserve, facts: dict) -> dict:
    """What a ready DER injects and how far it may go from there: by its own word, its owner's, and its envelope's."""
    if state is None:
        return {}
    up, down = usable_up_kw(state, reserve) or 0.0, state.down_kw or 0.0
    return {
        "now": state.p_kw,
        "up": max(0.0, min(up, facts["high"] - state.p_kw)),
        "down": max(0.0, min(down, state.p_kw - facts["low"])),
    }


def named(response: OutageResponse, user) -> list[dict]:
    """The DERs that give back, of those that the reader may see."""
    ders = Der.objects.visible_to(user).filter(pk__in=[part[0] for part in response.parts])
    names = {pk: (name, key) for pk, name, key in ders.values_list("pk", "external_id", "uuid")}
    return [{"name": names[der][0], "uuid": names[der][1], "up": up, "down": down} for der, up, down, *_ in response.parts if der in names]
