"""The keys that rules read: which type of value each has, in which unit, and what it says. Other keys may hold anything."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from moc.access.classes import DataClass
from moc.access.visibility import KEY, groups
from moc.errors import UserError

NONE = "none"  # a row that says: here there is no such limit
SINGLE_NODE = frozenset({"single_transmission_node", "single_pricing_node", "single_settlement_location"})
SCOPES = frozenset({"any", "pnode_set", "pnode_set_within_sublap"}) | SINGLE_NODE
METHODS = frozenset({"group", "proportional", "equal", "weighted", "maximum"})  # by which the room of a feeder is shared
POINTS = frozenset({"q_kvar", "soc_percent", "up_kw", "down_kw"})  # what a reading of a DER may hold beside its power
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class Kind:
    """What a key holds. `type` is one of TYPES; `unit` is given to new rows."""

    type: str
    unit: str
    says: str


KINDS: dict[str, Kind] = {
    "min_aggregation_kw": Kind("number", "kW", "the least capacity of an aggregation for a service"),
    "max_multinode_kw": Kind("number", "kW", "the most capacity of an aggregation that spans several pricing nodes"),
    "max_aggregation_injection_kw": Kind("number", "kW", "the most injection of an aggregation"),
    "min_der_kw": Kind("number", "kW", "the least nameplate of a DER"),
    "max_der_kw": Kind("number", "kW", "the most nameplate of a DER"),
    "small_utility_mwh": Kind("number", "MWh", "a utility with no more sales than this is small"),
    "utility_review_days": Kind("number", "calendar days", "the utility's review"),
    "validation_days": Kind("number", "calendar days", "the RTO's review of an aggregation"),
    "resubmit_days": Kind("number", "calendar days", "what was returned as incomplete is mended, or withdrawn"),
    "info_response_business_days": Kind("number", "business days", "a request for information is answered"),
    "completeness_business_days": Kind("number", "business days", "what was filed may be returned as incomplete"),
    "info_request_pauses_clock": Kind("boolean", "boolean", "the clock of a review stands while information is asked for"),
    "small_utility_opt_in": Kind("boolean", "boolean", "the regulator lets a small utility's customers take part"),
    "dr_opt_out": Kind("boolean", "boolean", "the regulator bars demand response by aggregators of retail customers"),
    "rerra_involvement": Kind(
        "code", "role", "the regulator's part in reviews (¶322): none, notified, comments, or decides named questions"
    ),
    "rerra_comment_days": Kind("number", "calendar days", "a regulator comments on a review, or decides its questions, within"),
    "rerra_questions": Kind("texts", "codes and questions", "what a regulator decides in reviews: code → question"),
    "member_change_validation": Kind("code", "role", "the RTO's part when DERs join a registered aggregation: notice, or validates"),
    "intent_answer_days": Kind("number", "calendar days", "either party's answer to a notice of intent"),
    "pre_registration": Kind("boolean", "boolean", "aggregator and utility settle data before filing"),
    "location_scope": Kind("scope", "scope", f"how far an aggregation may spread: {', '.join(sorted(SCOPES))}"),
    "market_services": Kind("codes", "codes", "the services that a market buys, by their codes"),
    "participation_models": Kind("texts", "codes and names", "the participation models of a market: code → name"),
    "metering_locations": Kind("codes", "codes", "where a DER may be metered: rdp, poi, submeter"),
    "retail_conflicts": Kind("conflicts", "codes", "retail program → services that it bars, because they would be paid twice"),
    "technologies": Kind(
        "technologies",
        "codes and names",
        "further technologies of DERs, for the whole platform: code → name, or a name and whether it stores",
    ),
    "participation_starts": Kind("starts", "days", "service (or *) → the first day of participation, or the year of it"),
    "telemetry_from_kw": Kind("number", "kW", "an aggregation of this size and larger sends telemetry"),
    "telemetry_services": Kind("codes", "codes", "services that need telemetry of the aggregate at every size"),
    "telemetry_ahead_s": Kind("number", "seconds", "a reading may be so far ahead of the clock"),
    "telemetry_back_days": Kind("number", "days", "readings are taken for so many days"),
    "telemetry_over_percent": Kind("number", "%", "a DER's reading may exceed nameplate and charge by so much, and 1 kW"),
    "telemetry_transformer_over_percent": Kind("number", "%", "a transformer's reading may exceed its rating by so much"),
    "telemetry_stale_intervals": Kind("number", "intervals", "what was not heard of for so many of its own intervals is stale"),
    "telemetry_interval_s": Kind("number", "seconds", "how often a subject reports that says nothing of it"),
    "telemetry_cadence_s": Kind("seconds", "seconds", "service (or *) → how often an aggregation that offers it reports"),
    "telemetry_points": Kind("points", "columns", "technology (or *) → what a reading of its DERs holds beside the power"),
    "telemetry_late_s": Kind("number", "seconds", "a reading that comes so long after its moment is late"),
    "telemetry_sum_interval_s": Kind("number", "seconds", "an aggregation is compared with its members over periods of this length"),
    "telemetry_sum_tolerance_percent": Kind("number", "%", "an aggregation may differ so much from the sum of its members"),
    "reliability_tolerance_percent": Kind("number", "%", "a reading may exceed a limit of its envelope by so much of the limit"),
    "reliability_tolerance_kw": Kind("number", "kW", "a reading may exceed a limit of its envelope by so much, where that is more"),
    "reliability_in_a_row": Kind("number", "readings", "so many readings beyond a limit, one after another: it was not followed"),
    "reliability_poor_percent": Kind("number", "%", "with more of a day's owed telemetry missing or late than this it is poor"),
    "reliability_least_pu": Kind("number", "pu", "from this voltage at the feeder's head up a DER goes on"),
    "reliability_most_pu": Kind("number", "pu", "up to this voltage at the feeder's head a DER goes on"),
    "readback_tolerance": Kind(
        "number", "per unit", "a setting read back may lie so far from the one issued: voltages, shares, power factors"
    ),
    "readback_tolerance_percent": Kind("number", "%", "a maximum power read back may lie so far from the one issued, of the rated power"),
    "readback_tolerance_kw": Kind("number", "kW", "a limit read back may exceed the one issued by so much"),
    "readback_days": Kind("number", "days", "settings that were issued are read back within so many days, and so often from then on"),
    "study_months_percent": Kind("months", "% of the greatest month", "a feeder's energy from January on, where no meter tells it"),
    "study_spread_percent": Kind("number", "%", "how far the days of a month lie around their mean, where no meter tells it"),
    "study_weather_percent": Kind("numbers", "% of a clear day", "days by their sun, equally many of each"),
    "study_latitude_deg": Kind("number", "degrees north", "where the sun of studies shines"),
    "envelope_method": Kind("method", "method", f"how utilities share the room of their feeders: {', '.join(sorted(METHODS))}"),
    "envelope_weights": Kind(
        "weights", "programs and weights", "retail program → weight of its DERs where room is shared by weight; others have 1"
    ),
    "pack": Kind("code", "authority", "the authority whose rows hold where this one has none of its own"),
    "day_ahead_close": Kind("clock", "local time", "day-ahead offers close on the day before"),
    "day_ahead_publish": Kind("clock", "local time", "day-ahead results are published"),
    "rebid_close": Kind("clock", "local time", "re-bidding closes"),
    "real_time_lock_min": Kind("number", "minutes", "real-time offers close so long before the hour"),
    "offer_granularity_min": Kind("number", "minutes", "the interval of an offer"),
    "real_time_interval_min": Kind("number", "minutes", "the interval of real-time dispatch"),
    "dispute_open_business_days": Kind("number", "business days", "a decision is disputed"),
    "dispute_parties_days": Kind("number", "calendar days", "the parties to a dispute come to terms"),
    "dispute_rto_days": Kind("number", "calendar days", "the RTO determines a dispute"),
    "dispute_rerra_days": Kind("number", "calendar days", "the regulator determines a dispute"),
    "dispute_statement_business_days": Kind("number", "business days", "a party to a dispute states its side when it is its turn"),
    "dispute_next_level": Kind("code", "level", "where a dispute goes that the parties did not settle in time: rto or rerra"),
    "public_least_customers": Kind("number", "customers", "a public figure is of at least so many"),
    "public_largest_share_percent": Kind("number", "%", "of a public figure no customer has more"),
    KEY: Kind(
        "visibility",
        "field groups and parties",
        "which groups of fields are hidden from whom: edc, tso, aggregator",
    ),
    **{
        f"online_days_{each}": Kind("number", "calendar days", f"how long rows of the class {each} stay online before they are archived")
        for each in DataClass
    },
    **{f"kept_years_{each}": Kind("number", "years", f"how long data of the class {each} are kept at least") for each in DataClass},
    "anonymised_years_owners": Kind(
        "number", "years", "personal data of an owner are anonymised so long after the last DER left, or went to another aggregator"
    ),
    "anonymised_years_look_ups": Kind("number", "years", "who looked a DER up, and what was found, is forgotten after so long"),
    "anonymised_years_sign_ins": Kind("number", "years", "from where and with which browser a person signed in is forgotten after so long"),
    "meter_retention_years": Kind("number", "years", "how long meter data are kept"),
}


def _number(value) -> bool:
    try:
        return not isinstance(value, bool) and Decimal(str(value)).is_finite() and Decimal(str(value)) >= 0
    except InvalidOperation:
        return False


def _numbers(value) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_number, value))


def _codes(value) -> bool:
    return isinstance(value, list) and all(_code(each) for each in value)


def _code(value) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[\w-]+", value))


def _technologies(value) -> bool:
    return isinstance(value, dict) and all(_code(key) and len(key) <= 30 and _technology(said) for key, said in value.items())


def _technology(said) -> bool:
    """A name, or a name and whether it stores energy."""
    if not isinstance(said, dict):
        return isinstance(said, str)
    return isinstance(said.get("name"), str) and said.keys() <= {"name", "stores"} and isinstance(said.get("stores", False), bool)


def _start(value) -> bool:
    return value is None or first_day(value) is not None


def first_day(text) -> date | None:
    """The day that an ISO date or a bare year names; None for anything else."""
    try:
        return date.fromisoformat(f"{text}-01-01" if re.fullmatch(r"\d{4}", str(text)) else str(text))
    except ValueError:
        return None


def _visibility(value) -> bool:
    """Groups of fields that there are, each with the kinds of party from which it is hidden."""
    known = isinstance(value, dict) and value.keys() <= groups().keys()
    return known and all(isinstance(kinds, list) and kinds and set(kinds) <= set(groups()[name].parties) for name, kinds in value.items())


TYPES = {
    "number": (_number, "a number of zero or more"),
    "numbers": (_numbers, "a list of numbers of zero or more, such as [30, 60, 85, 100]"),
    "months": (lambda value: _numbers(value) and len(value) == 12, "a list of twelve numbers of zero or more, from January on"),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "scope": (lambda value: value in SCOPES, f"one of {', '.join(sorted(SCOPES))}"),
    "code": (_code, "one code"),
    "codes": (_codes, 'a list of codes, such as ["energy", "capacity"]'),
    "texts": (
        lambda value: (
            isinstance(value, dict) and all(_code(key) and len(key) <= 30 and isinstance(text, str) for key, text in value.items())
        ),
        'codes with their names, such as {"dera": "DER aggregation"}',
    ),
    "technologies": (
        _technologies,
        'codes with their names, such as {"tidal": "Tidal turbine"}; what stores as {"tidal": {"name": "Tidal basin", "stores": true}}',
    ),
    "conflicts": (
        lambda value: isinstance(value, dict) and all(_codes(services) for services in value.values()),
        'programs with the services they bar, such as {"nem": ["energy"]}',
    ),
    "seconds": (
        lambda value: (
            isinstance(value, dict)
            and "*" in value
            and all(_number(seconds) and seconds > 0 and (key == "*" or _code(key)) for key, seconds in value.items())
        ),
        'services with their seconds and * for all others, such as {"*": 300, "regulation": 4}',
    ),
    "points": (
        lambda value: (
            isinstance(value, dict)
            and "*" in value
            and all((key == "*" or _code(key)) and _codes(points) and POINTS.issuperset(points) for key, points in value.items())
        ),
        f'technologies with some of {", ".join(sorted(POINTS))}, and * for all, such as {{"*": [], "storage": ["soc_percent"]}}',
    ),
    "method": (lambda value: isinstance(value, str) and value in METHODS, f"one of {', '.join(sorted(METHODS))}"),
    "weights": (
        lambda value: (
            isinstance(value, dict) and bool(value) and all(_code(key) and _number(weight) and weight > 0 for key, weight in value.items())
        ),
        'retail programs with their weights above zero, such as {"NEM": 2}',
    ),
    "starts": (
        lambda value: isinstance(value, dict) and all(map(_start, value.values())),
        'services with their first day, such as {"*": "2027-02-01"}',
    ),
    "visibility": (
        _visibility,
        'groups of fields with the parties from which they are hidden, such as {"ders.place": ["tso"]}; not from whose they are',
    ),
    "clock": (lambda value: isinstance(value, str) and bool(_CLOCK.fullmatch(value)), "a time such as 11:00"),
}


def check(key: str, value) -> None:
    """Raise UserError when a value is not of its key's type."""
    kind = KINDS.get(key)
    if kind is None or value == NONE:
        return
    fits, words = TYPES[kind.type]
    if not fits(value):
        raise UserError(f"{key} holds {words}.", f"It says: {kind.says}. Write “{NONE}” where there is no such limit.", "RULESET-TYPE")
