"""Rules on the facts of DERs. They take filed rows and master records alike."""

from django.db.models import Q

from moc.intervals import TODAY
from moc.rules import WARNING, condition
from registry.ders import queries
from registry.ders.choices import DerType
from registry.ders.dictionary import REQUIRED

MODEL = "FERC Order 2222 ¶236; standard data model (N1)"

MISSING = [
    condition(
        f"DER-MISSING/{name}",
        queries.HARD_CONDITIONS[f"{name}_missing"],
        f"{name} is required.",
        remedy=f"Fill {name}.",
        columns=(name,),
        cites=MODEL,
    )
    for name in REQUIRED
    if f"{name}_missing" in queries.HARD_CONDITIONS
]
NEGATIVE = [
    condition(
        f"DER-NEGATIVE/{name}",
        queries.HARD_CONDITIONS[f"{name}_negative"],
        f"{name} is a magnitude and cannot be negative.",
        remedy="Give the magnitude without a sign; the direction is in the field's name.",
        columns=(name,),
        cites=MODEL,
    )
    for name in queries.MAGNITUDES
]
RATINGS = [
    condition(
        "DER-STORAGE-ENERGY",
        queries.STORING_WITHOUT_ENERGY,
        "Energy storage has an energy capacity in kWh.",
        remedy="Fill energy_capacity_kwh.",
        columns=("energy_capacity_kwh", "der_type"),
        cites="FERC Order 2222 ¶236; AEMO nominalStorageCapacity",
    ),
    condition(
        "DER-USABLE-ENERGY",
        queries.USABLE_ABOVE_CAPACITY,
        "Usable energy cannot exceed the energy capacity.",
        remedy="Correct usable_energy_kwh or energy_capacity_kwh.",
        columns=("usable_energy_kwh", "energy_capacity_kwh"),
    ),
    condition(
        "DER-MINIMUM-ENERGY",
        queries.MINIMUM_ABOVE_CAPACITY,
        "The minimum stored energy cannot exceed the energy capacity.",
        remedy="Correct min_stored_energy_kwh or energy_capacity_kwh.",
        columns=("min_stored_energy_kwh", "energy_capacity_kwh"),
    ),
    condition(
        "DER-EXPORT-NAMEPLATE",
        queries.EXPORT_ABOVE_NAMEPLATE,
        "The approved export cannot exceed the nameplate AC rating.",
        remedy="Correct approved_export_kw to what the interconnection agreement says, or nameplate_ac_kw.",
        columns=("approved_export_kw", "nameplate_ac_kw"),
        cites="FERC Order 2222 ¶292",
    ),
    condition(
        "DER-EFFICIENCY",
        queries.EFFICIENCY_OUT_OF_RANGE,
        "The round-trip efficiency is a percentage between 0 and 100.",
        remedy="Give the efficiency in percent.",
        columns=("round_trip_efficiency_percent",),
    ),
    condition(
        "DER-POWER-FACTOR",
        queries.POWER_FACTOR_OUT_OF_RANGE,
        "A power factor lies between 0 and 1.",
        remedy="Give the magnitude of the power factor, such as 0.85.",
        columns=("power_factor_over_excited", "power_factor_under_excited"),
        cites="SunSpec model 702",
    ),
    condition(
        "DER-VOLTAGES",
        queries.VOLTAGES_OUT_OF_ORDER,
        "Minimum, nominal and maximum voltage are in this order.",
        remedy="Correct the three voltages.",
        columns=("nominal_voltage_v", "min_voltage_v", "max_voltage_v"),
        cites="SunSpec model 702",
    ),
    condition(
        "DER-KVA",
        queries.NAMEPLATE_ABOVE_KVA,
        "The nameplate AC rating is above the rated apparent power.",
        remedy="Check rated_kva and nameplate_ac_kw.",
        columns=("rated_kva", "nameplate_ac_kw"),
        severity=WARNING,
    ),
    condition(
        "DER-PHASES",
        queries.TOO_MANY_PHASES,
        "At most three phases can be installed.",
        remedy="Give 1, 2 or 3.",
        columns=("phases_installed",),
    ),
    condition(
        "DER-RUN-TIMES",
        queries.RUN_TIMES_OUT_OF_ORDER,
        "The minimum run time cannot exceed the maximum run time.",
        remedy="Correct min_run_min or max_run_min.",
        columns=("min_run_min", "max_run_min"),
    ),
]
DATES_AND_PLACE = [
    condition(
        "DER-OPERATING-DATE",
        queries.OPERATING_BEFORE_COMMISSIONED,
        "Permission to operate cannot precede commissioning.",
        remedy="Correct permission_to_operate_on or commissioned_on.",
        columns=("permission_to_operate_on", "commissioned_on"),
    ),
    condition(
        "DER-DECOMMISSIONED-DATE",
        queries.DECOMMISSIONED_BEFORE_COMMISSIONED,
        "Decommissioning cannot precede commissioning.",
        remedy="Correct decommissioned_on or commissioned_on.",
        columns=("decommissioned_on", "commissioned_on"),
    ),
    condition(
        "DER-FUTURE-DATE",
        Q(commissioned_on__gt=TODAY) | Q(permission_to_operate_on__gt=TODAY),
        "Commissioning and permission to operate cannot lie in the future.",
        remedy="Leave the date empty until it has come.",
        columns=("commissioned_on", "permission_to_operate_on"),
    ),
    condition(
        "DER-AGREEMENT",
        queries.EXPORT_WITHOUT_AGREEMENT,
        "A DER that exports has an interconnection agreement.",
        remedy="Fill interconnection_agreement_no, or set approved_export_kw to 0.",
        columns=("interconnection_agreement_no", "approved_export_kw"),
        cites="FERC Order 2222-A (interconnection stays with state and utility); denial ground R7",
    ),
    condition(
        "DER-COORDINATES",
        queries.PLACE_OUT_OF_RANGE,
        "Latitude lies between -90 and 90, longitude between -180 and 180.",
        remedy="Give decimal degrees, latitude first.",
        columns=("latitude", "longitude"),
    ),
    condition(
        "DER-INVERTER-CERTIFICATION",
        Q(der_type__in=[str(DerType.PHOTOVOLTAIC), str(DerType.STORAGE), str(DerType.PHOTOVOLTAIC_STORAGE)], inverter_certification="none"),
        "An inverter without UL 1741 certification needs the utility's attention.",
        remedy="Give ul1741, ul1741sa or ul1741sb if the inverter is certified.",
        columns=("inverter_certification", "der_type"),
        cites="IEEE 1547-2018; UL 1741",
        severity=WARNING,
    ),
]
RULES = [*MISSING, *NEGATIVE, *RATINGS, *DATES_AND_PLACE]
