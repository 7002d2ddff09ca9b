"""A feeder as a utility with a GIS alone would tell it (one CSV, made from the registry's own transformers and service points), and on it
one finished study of a new DER, one screen of the review under way and one map of hosting capacity."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from math import cos, radians
from random import Random

import numpy as np
from django.core.files.base import ContentFile
from django.db.models import Exists, OuterRef
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from moc.access import policy
from moc.access.models import Organization
from moc.demo.networks import NOMINAL_KV, REASON, UTILITY, approved, instance, policy_of
from moc.demo.sites import KM_PER_DEGREE, SEED
from operations.envelopes.services import life
from operations.hosting.models import HostingMap
from operations.hosting.services import ordering as hosting
from operations.hosting.tasks import compute
from operations.interconnection.services import ordering as interconnection
from operations.interconnection.tasks import study
from operations.network.models import NetworkVersion
from operations.screening.services import ordering as screening
from operations.screening.tasks import screen
from registry.grid.models import Feeder, ServicePoint
from registry.submissions.models import StagedDer, UtilityReview

FIELDS = "kind name from_bus to_bus phases kv to_kv kva x_percent length_m r_ohm_per_km x_ohm_per_km rated_a load_kw load_kvar".split()
TABLE = NetworkVersion.Source.TABLE
# overhead aluminium conductors of usual sizes: 3/0 AWG where many transformers are behind, 2 AWG at the ends
TRUNK, BRANCH, MANY = ("0.37", "0.43", "315"), ("1.05", "0.5", "180"), 12
HOME_KV, HOMES_KW = 0.240, (3.0, 8.5)  # to ground; at the feeder's peak
PARK_KW, ASKED = 12_000, "A solar park at the end of the line"


def studies(organizations: dict[str, Organization]) -> None:
    """Load the network and have all three computed, once; nothing where no review is under way behind the utility's feeders."""
    edc = organizations[UTILITY]
    review = UtilityReview.objects.filter(submission__idempotency_key="demo-open", edc=edc).select_related("submission").first()
    if review is None or HostingMap.objects.filter(edc=edc, network__source=TABLE, status="done").exists():
        return
    feeder = _feeder(review)
    version = drawn(feeder)
    engineer = policy.holders(interconnection.PERMISSION, edc).order_by("pk").first()
    facts = {"technology": "photovoltaic", "rated_kw": PARK_KW, "rated_kva": PARK_KW}
    asked = interconnection.order(actor=engineer, feeder=feeder, title=ASKED, bus=_farthest(feeder), phases="ABC", **facts)
    study(asked.job_id)
    screened = screening.order(review, version)
    if screened is not None:
        screen(screened.job_id)
    compute(hosting.order(version).job_id)


def more(count: int | None = None) -> Iterator[NetworkVersion]:
    """Networks of as many of the demonstration's feeders with service points and without one, of all where no number is said: the circuit
    where it is of the feeder's voltage, else what a GIS would tell. Each then has envelopes of today and tomorrow ordered."""
    points = ServicePoint.objects.filter(feeder=OuterRef("pk"))
    generated = Feeder.history.model.objects.filter(history_type="+", history_change_reason=REASON).values("id")  # and nobody's own
    bare = Feeder.objects.filter(Exists(points), pk__in=generated).exclude(pk__in=NetworkVersion.objects.values("feeder"))
    for feeder in list(bare.select_related("edc", "substation").order_by("substation", "code")[:count]):
        policy_of(feeder.edc)
        version = instance(feeder) if feeder.nominal_kv == Decimal(NOMINAL_KV) else drawn(feeder)
        if version.status == NetworkVersion.Status.CURRENT:
            life.order_days(feeder)
        yield version


def drawn(feeder: Feeder) -> NetworkVersion:
    """The network that a GIS would tell of a feeder, approved."""
    return approved(feeder, TABLE, ContentFile(table(feeder), name=f"{feeder.code}.csv"))


def _feeder(review: UtilityReview) -> Feeder:
    """The feeder without a circuit of its own behind which most of a review's DERs would be."""
    modelled = NetworkVersion.objects.exclude(source=TABLE).values("feeder")
    rows = StagedDer.objects.of_review(review).exclude(service_point__feeder__in=modelled)
    ((found, _),) = Counter(rows.order_by("row_number").values_list("service_point__feeder", flat=True)).most_common(1)
    return Feeder.objects.select_related("edc", "substation").get(pk=found)


def table(feeder: Feeder) -> bytes:
    """The feeder's lines along the shortest tree from its substation to its transformers, these, and its service points with their peaks;
    the same bytes for the same seed."""
    rng = Random(f"{SEED}/{feeder.code}/table")
    points = list(feeder.service_points.order_by("usage_point_id").select_related("transformer"))
    places, kv = _places(feeder, points), f"{float(feeder.nominal_kv):g}"
    rows = [{"kind": "source", "name": "head", "to_bus": "head", "kv": kv}, *_lines(places)]
    phase = {code: "ABC"[number % 3] for number, code in enumerate(places)}
    seen = set()
    for point in points:
        bank, three = point.transformer, point.phases_available == 3
        at = {"phases": "ABC" if three else phase[bank.code]}
        low = f"{point.nominal_voltage_v / 1e3 if three else HOME_KV * 3**0.5:.4g}"
        if bank.code not in seen:
            seen.add(bank.code)
            ends = {"from_bus": f"bus-{bank.code}", "to_bus": f"low-{bank.code}", "kv": kv, "to_kv": low, "kva": f"{bank.rated_kva:g}"}
            rows.append({"kind": "transformer", "name": bank.code} | at | ends)
        load = float(bank.rated_kva) / 5 if three else rng.uniform(*HOMES_KW)
        ends = {"from_bus": f"low-{bank.code}", "kv": low, "load_kw": f"{load:.2f}", "load_kvar": f"{load / 4:.2f}"}
        rows.append({"kind": "point", "name": point.usage_point_id} | at | ends)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, FIELDS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _places(feeder: Feeder, points: list[ServicePoint]) -> dict[str, tuple[float, float]]:
    """Kilometres east and north of the substation of every transformer: the middle of its service points."""
    origin = float(feeder.substation.latitude), float(feeder.substation.longitude)
    found: dict[str, list] = {}
    for point in points:
        north, east = float(point.latitude) - origin[0], (float(point.longitude) - origin[1]) * cos(radians(origin[0]))
        found.setdefault(point.transformer.code, []).append((east * KM_PER_DEGREE, north * KM_PER_DEGREE))
    return {code: tuple(np.mean(each, axis=0)) for code, each in sorted(found.items())}


def _lines(places: dict[str, tuple[float, float]]) -> list[dict]:
    """Three-phase lines along the minimum spanning tree, of the heavier conductor where many transformers are behind."""
    xy = np.array([(0.0, 0.0), *places.values()])
    names = ["head", *(f"bus-{code}" for code in places)]
    apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) + 0.02  # at least a span of 20 m
    np.fill_diagonal(apart, 0)
    order, before = breadth_first_order(minimum_spanning_tree(apart), 0, directed=False)
    behind = np.ones(len(names), int)
    for bus in order[:0:-1]:
        behind[before[bus]] += behind[bus]
    rows = []
    for bus in order[1:]:
        r, x, rated = TRUNK if behind[bus] >= MANY else BRANCH
        ends = {"from_bus": names[before[bus]], "to_bus": names[bus], "length_m": f"{1e3 * apart[before[bus], bus]:.0f}"}
        kind = {"kind": "line", "name": f"line-{names[bus]}", "phases": "ABC", "r_ohm_per_km": r, "x_ohm_per_km": x, "rated_a": rated}
        rows.append(kind | ends)
    return rows


def _farthest(feeder: Feeder) -> str:
    """The bus of the transformer that is farthest from the substation."""
    points = list(feeder.service_points.select_related("transformer"))
    places = _places(feeder, points)
    return f"bus-{max(places, key=lambda code: np.hypot(*places[code]))}".lower()
