"""Rules on DERs: may this one sell this service in the market that it is connected in?"""

from django.db.models import F, Q

from registry.prequalification.rules import numbers
from registry.prequalification.rules.base import DERS, Conditions, on

PARTY = "edc_id"


@on(
    DERS,
    "PQ-DER-STATUS",
    remedy="Activate the DER, or leave it out.",
    columns=("status",),
    cites="FERC Order 2222 ¶292: capable of participation",
)
def status() -> Q:
    """A DER that takes part is approved or active."""
    return Q(status__in=["inactive", "decommissioned"])


@on(
    DERS,
    "PQ-DER-SMALL",
    keys=("min_der_kw",),
    remedy="Leave the DER out, or correct its nameplate through its utility.",
    columns=("nameplate_ac_kw",),
    cites="The market's rule on the size of a DER; FERC Order 2222 ¶179",
)
def small() -> Q:
    """The DER is smaller than the market accepts."""
    return Q(nameplate_ac_kw__lt=numbers.current().limit("min_der_kw", PARTY))


@on(
    DERS,
    "PQ-DER-LARGE",
    keys=("max_der_kw",),
    remedy="Register it as a resource of its own.",
    columns=("nameplate_ac_kw",),
    cites="The market's rule on the size of a DER; FERC Order 2222 ¶179",
)
def large() -> Q:
    """The DER is larger than the market accepts in an aggregation."""
    return Q(nameplate_ac_kw__gt=numbers.current().limit("max_der_kw", PARTY))


@on(
    DERS,
    "PQ-RETAIL",
    keys=("retail_conflicts",),
    remedy="End the retail program for this service, or offer only services that it does not pay for.",
    columns=("retail_programs",),
    cites="FERC Order 2222 ¶159–160, ¶296: no service is paid twice",
)
def retail() -> Conditions:
    """A retail program already pays for this service, or its terms bar it."""
    bars: dict[str, Q] = {}
    law = numbers.current()
    for pk, authorities in law.authorities[PARTY].items():
        for row in law.law.all("retail_conflicts", *authorities):
            for program, services in row.value.items() if isinstance(row.value, dict) else ():
                for service in services:
                    bars.setdefault(service, {}).setdefault(program, []).append(pk)
    for edc, program, services in law.programs:
        for service in services:
            bars.setdefault(service, {}).setdefault(program, []).append(edc)
    return {service: _any(programs) for service, programs in sorted(bars.items())}


def _any(programs: dict[str, list[int]]) -> Q:
    """DERs in one of the programs, of the utilities where it conflicts."""
    found = Q()
    for program, edcs in programs.items():
        found |= Q(retail_programs__contains=[program], edc_id__in=sorted(set(edcs)))
    return found


@on(
    DERS,
    "PQ-SMALL-UTILITY",
    keys=("small_utility_mwh",),
    remedy="Ask the regulator to let the utility's customers take part.",
    columns=("edc",),
    cites="18 CFR 35.28(g)(12)(iv): utilities of 4 million MWh and less",
)
def small_utility() -> Q:
    """The utility is small, and its regulator has not let its customers take part."""
    return numbers.current().small()


@on(
    DERS,
    "PQ-DR-OPT-OUT",
    keys=("dr_opt_out",),
    remedy="Leave the DER out; the other DERs of the aggregation are not affected.",
    columns=("der_type",),
    cites="FERC Orders 719 and 2222-B ¶26–29: the regulator's opt-out of demand response",
)
def demand_response_opt_out() -> Q:
    """The regulator bars demand response by aggregators of retail customers."""
    return Q(der_type="demand_response") & numbers.current().where("dr_opt_out", PARTY, bool)


@on(
    DERS,
    "PQ-METERING",
    keys=("metering_locations",),
    remedy="Have it metered where the market accepts it.",
    columns=("meter_location",),
    cites="The market's rule on metering; FERC Order 2222 ¶269",
)
def metering() -> Q:
    """The DER is metered where the market does not accept it."""
    law, found = numbers.current(), Q(pk__in=[])
    for places, edcs in law.by_value("metering_locations", PARTY).values():
        found |= Q(edc_id__in=edcs) & ~Q(meter_location__in=["", *places])
    return found


@on(
    DERS,
    "PQ-NO-AGREEMENT",
    remedy="Record the interconnection agreement.",
    columns=("approved_export_kw",),
    cites="Interconnection is by state and utility: an export needs an agreement",
)
def agreement() -> Q:
    """The DER exports more than its interconnection agreement lets it."""
    return Q(approved_export_kw__gt=F("interconnection_capacity_kw"))
