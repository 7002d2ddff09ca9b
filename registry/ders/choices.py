"""Enumerations of a DER, with the codes of the standards beside them (dictionary.py maps them).

Technologies are open (¶114: none is refused): a row of the law with the key "technologies" and no authority, code → name, adds some
without a deployment; code → {"name": …, "stores": true} one that stores energy, whose kWh is asked for as of those that ship.
It comes in force as every change of the law does: drafted by one person, scheduled by another.
"""

from dataclasses import dataclass
from time import monotonic

from django.conf import settings
from django.db import DatabaseError
from django.db.models import TextChoices
from django.utils import timezone

from moc import sight
from moc.rulesets.models import RuleSet

KEY = "technologies"


class DerType(TextChoices):
    """IEEE 2030.5 DERType, and the demand-side resources of FERC Order 2222 ¶114."""

    VIRTUAL_OR_MIXED = "virtual_or_mixed", "Virtual or mixed"
    RECIPROCATING_ENGINE = "reciprocating_engine", "Reciprocating engine"
    FUEL_CELL = "fuel_cell", "Fuel cell"
    PHOTOVOLTAIC = "photovoltaic", "Photovoltaic"
    COMBINED_HEAT_POWER = "combined_heat_power", "Combined heat and power"
    OTHER_GENERATION = "other_generation", "Other generation"
    STORAGE = "storage", "Storage"
    ELECTRIC_VEHICLE = "electric_vehicle", "Electric vehicle"
    EVSE = "evse", "EV supply equipment"
    PHOTOVOLTAIC_STORAGE = "photovoltaic_storage", "Photovoltaic with storage"
    DEMAND_RESPONSE = "demand_response", "Demand response"
    THERMAL_STORAGE = "thermal_storage", "Thermal storage"
    ENERGY_EFFICIENCY = "energy_efficiency", "Energy efficiency"
    WIND = "wind", "Wind"
    HYDRO = "hydro", "Hydro"


STORING = (DerType.STORAGE, DerType.ELECTRIC_VEHICLE, DerType.PHOTOVOLTAIC_STORAGE, DerType.THERMAL_STORAGE)


class _Added:
    """What was read last, in this process."""

    names: dict[str, str] = {}
    storing: tuple[str, ...] = ()
    read_at: float | None = None


def technologies() -> list[tuple[str, str]]:
    """(code, name) of every technology: the field's choices. Read anew after `TECHNOLOGIES_SECONDS`; with None never."""
    _renew()
    return [*DerType.choices, *_Added.names.items()]


def storing() -> list[str]:
    """The codes of the technologies that store energy, those that the law adds too; read anew as `technologies` is."""
    _renew()
    return [*STORING, *_Added.storing]


def _renew() -> None:
    seconds = settings.TECHNOLOGIES_SECONDS
    if seconds is not None and (_Added.read_at is None or monotonic() - _Added.read_at >= seconds):
        _read()


@sight.engine()  # the law is nobody's secret, and choices are asked for by whatever runs
def _read() -> None:
    try:
        said = RuleSet.objects.on(timezone.localdate()).filter(key=KEY, authority="").values_list("value", flat=True).first() or {}
    except DatabaseError:  # a command that runs before there is a table: what ships is known
        said = {}
    said = {code: facts if isinstance(facts, dict) else {"name": facts} for code, facts in said.items() if code not in DerType.values}
    _Added.names = {code: facts["name"] for code, facts in said.items()}
    _Added.storing = tuple(code for code, facts in said.items() if facts.get("stores"))
    _Added.read_at = monotonic()


@dataclass(frozen=True)
class Technology:
    """A technology by its code; one that is no longer in force keeps its code as name."""

    code: str

    @property
    def label(self) -> str:
        return dict(technologies()).get(self.code, self.code)


class InverterCertification(TextChoices):
    UL1741 = "ul1741", "UL 1741"
    UL1741SA = "ul1741sa", "UL 1741 SA"
    UL1741SB = "ul1741sb", "UL 1741 SB"
    NONE = "none", "None"


class NormalCategory(TextChoices):
    A = "a", "Category A"
    B = "b", "Category B"
    NOT_SPECIFIED = "not_specified", "Not specified"


class AbnormalCategory(TextChoices):
    I = "i", "Category I"  # noqa: E741
    II = "ii", "Category II"
    III = "iii", "Category III"
    NOT_SPECIFIED = "not_specified", "Not specified"


class ControlMode(TextChoices):
    MAX_W = "max_w", "Limit maximum active power"
    FIXED_W = "fixed_w", "Fixed active power"
    FIXED_VAR = "fixed_var", "Fixed reactive power"
    FIXED_PF = "fixed_pf", "Fixed power factor"
    VOLT_VAR = "volt_var", "Volt-var"
    FREQ_WATT = "freq_watt", "Frequency-watt"
    DYN_REACT_CURR = "dyn_react_curr", "Dynamic reactive current"
    LV_TRIP = "lv_trip", "Low-voltage trip"
    HV_TRIP = "hv_trip", "High-voltage trip"
    WATT_VAR = "watt_var", "Watt-var"
    VOLT_WATT = "volt_watt", "Volt-watt"
    SCHEDULED = "scheduled", "Scheduling"
    LF_TRIP = "lf_trip", "Low-frequency trip"
    HF_TRIP = "hf_trip", "High-frequency trip"


class EnvelopeMode(TextChoices):
    IMPORT = "op_mod_imp_lim_w", "Import limit at the connection point (opModImpLimW)"
    EXPORT = "op_mod_exp_lim_w", "Export limit at the connection point (opModExpLimW)"
    GENERATION = "op_mod_gen_lim_w", "Generation limit (opModGenLimW)"
    LOAD = "op_mod_load_lim_w", "Load limit (opModLoadLimW)"
    STORAGE = "op_mod_storage_target_w", "Storage target (opModStorageTargetW)"


class Islanding(TextChoices):
    NONE = "none", "None"
    INTENTIONAL = "int_isl", "Intentional island capable"
    BLACK_START = "black_start", "Black-start capable"
    ISOCHRONOUS = "isoch", "Isochronous capable"


class CommsProtocol(TextChoices):
    IEEE_2030_5 = "ieee_2030_5", "IEEE 2030.5"
    OPENADR_3 = "openadr_3", "OpenADR 3"
    DNP3 = "dnp3", "DNP3"
    SUNSPEC_MODBUS = "sunspec_modbus", "SunSpec Modbus"
    API = "api", "Manufacturer's API"


class MeterLocation(TextChoices):
    RETAIL_DELIVERY_POINT = "rdp", "Retail delivery point"
    POINT_OF_INTERCONNECTION = "poi", "Point of interconnection"
    SUBMETER = "submeter", "Submeter"


class MeterReader(TextChoices):
    AGGREGATOR = "aggregator", "Aggregator"
    AGENT = "agent", "Agent"
    HOST_UTILITY = "host_utility", "Host utility"


class ConnectionKind(TextChoices):
    FRONT_OF_METER = "ftm", "Front of the meter"
    BEHIND_METER = "btm", "Behind the meter"


class CustomerSector(TextChoices):
    RESIDENTIAL = "residential", "Residential"
    COMMERCIAL = "commercial", "Commercial"
    INDUSTRIAL = "industrial", "Industrial"
    TRANSPORTATION = "transportation", "Transportation"


class InterconnectionKind(TextChoices):
    NET_METERING = "net_metering", "Net metering"
    EXPORT_LIMITED = "export_limited", "Limited export"
    NON_EXPORT = "non_export", "Non-export"
    PARALLEL = "parallel", "Parallel operation"
    NONE = "none", "None"
