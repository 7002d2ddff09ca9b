"""The numbers by which readings are judged: rule set rows in force today (N13), none of them in code."""

from dataclasses import dataclass

from django.utils import timezone

from moc.rulesets.models import RuleSet

PREFIX = "telemetry_"


@dataclass(frozen=True)
class Limits:
    """What a batch is judged by; each is the rule `telemetry_<name>`."""

    ahead_s: float
    back_days: float
    over_percent: float
    transformer_over_percent: float
    stale_intervals: float
    interval_s: float


def today() -> Limits:
    """The limits in force, in one query. Raises LookupError naming the rules that are missing: no number is guessed."""
    keys = {PREFIX + name: name for name in Limits.__dataclass_fields__}
    rows = RuleSet.objects.on(timezone.localdate()).filter(key__in=keys, authority="").values_list("key", "value")
    found = {keys[key]: float(value) for key, value in rows}
    if missing := sorted(key for key, name in keys.items() if name not in found):
        raise LookupError(f"No rule set row for {', '.join(missing)}. Run load_rulesets, or add it in the admin.")
    return Limits(**found)
