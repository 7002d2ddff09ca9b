"""What rule set rows say of how room is shared: one of a utility's market or regulator binds its feeders; else its own policy holds."""

from collections.abc import Callable
from datetime import date, datetime

from django.utils import timezone

from moc import sight
from moc.access.models import Organization
from moc.rulesets.kinds import NONE
from moc.rulesets.models import RuleSet
from registry.prequalification.rules.numbers import Numbers

METHOD, WEIGHTS = "envelope_method", "envelope_weights"
Bound = Callable[[dict, int, datetime], dict]


def of_a_look() -> Bound:
    """A function (a policy's values, utility's key, moment) → the values as the rows of that day bind them; reads the law once a day.

    What a row decides is named in `ruled`: {"method" or "weights": authority of the row}. Weights matter to the method weighted only."""
    laws: dict[date, Numbers | None] = {}

    def bound(values: dict, edc: int, at: datetime) -> dict:
        day = timezone.localdate(at)
        if day not in laws:
            laws[day] = Numbers.on(day) if RuleSet.objects.on(day).filter(key__in=(METHOD, WEIGHTS)).exists() else None
        return values if laws[day] is None else _bound(values, laws[day], edc)

    return bound


def _bound(values: dict, numbers: Numbers, edc: int) -> dict:
    authorities = numbers.authorities["edc_id"].get(edc, ())
    method, weights = (numbers.law.row(key, *authorities) for key in (METHOD, WEIGHTS))
    decided, ruled = dict(values), {}
    if _says(method):
        decided["method"], ruled["method"] = method.value, method.authority
    if _says(weights) and decided["method"] == "weighted":
        decided["weights"], ruled["weights"] = weights.value, weights.authority
    return decided | {"ruled": ruled} if ruled else values


def _says(row: RuleSet | None) -> bool:
    return row is not None and row.value != NONE


@sight.engine()  # whose rule row holds where is no secret
def whose(policy: dict, part: str) -> str:
    """Whose rule row decided the method or the weights of a run's policy, in words; empty where the utility's own policy did."""
    if part not in (ruled := policy.get("ruled", {})):
        return ""
    found = Organization.objects.filter(slug=ruled[part]).first()
    key = METHOD if part == "method" else WEIGHTS
    if found is None:
        return f"by the rule row {key} of {ruled[part] or 'all markets'}"
    party = "regulator" if found.kind == Organization.Kind.RERRA else "market"
    return f"by the {party}'s rule row {key} ({found.name})"
