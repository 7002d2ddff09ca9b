"""Which DERs, and the conditions that one row decides (used by rules and by the database's check constraints alike)."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Q, TextField, Value

from moc.access.queries import ScopedQuerySet
from moc.asof import AnyOf
from registry.ders.choices import STORING, DerType, storing

MAGNITUDES = (
    "nameplate_ac_kw nameplate_dc_kw rated_kva rated_inject_kvar rated_absorb_kvar max_charge_kw max_discharge_kw energy_capacity_kwh "
    "usable_energy_kwh min_stored_energy_kwh nominal_voltage_v min_voltage_v max_voltage_v max_current_a ramp_up_kw_per_min "
    "ramp_down_kw_per_min comms_latency_s interconnection_capacity_kw approved_export_kw approved_import_kw"
).split()
REQUIRED_TEXTS = "external_id der_type customer_sector consent_reference premise_address".split()
REQUIRED_NUMBERS = "nameplate_ac_kw approved_export_kw approved_import_kw".split()


class Storing(Value):
    """The technologies that store energy, as they are known when the query is run."""

    def __init__(self):
        super().__init__(None, output_field=ArrayField(TextField()))

    def as_sql(self, compiler, connection) -> tuple[str, list]:
        return "%s::text[]", [[str(code) for code in storing()]]


# Each holds where a row is wrong. NULL decides nothing: an unknown value violates no condition.
STORAGE_WITHOUT_ENERGY = Q(der_type__in=[str(kind) for kind in STORING], energy_capacity_kwh__isnull=True)
# what the law adds is known when rows are filed, not when the table's constraint is written
STORING_WITHOUT_ENERGY = Q(AnyOf(F("der_type"), Storing()), energy_capacity_kwh__isnull=True)
USABLE_ABOVE_CAPACITY = Q(usable_energy_kwh__gt=F("energy_capacity_kwh"))
MINIMUM_ABOVE_CAPACITY = Q(min_stored_energy_kwh__gt=F("energy_capacity_kwh"))
NAMEPLATE_ABOVE_KVA = Q(nameplate_ac_kw__gt=F("rated_kva"))
EFFICIENCY_OUT_OF_RANGE = Q(round_trip_efficiency_percent__lt=0) | Q(round_trip_efficiency_percent__gt=100)
POWER_FACTOR_OUT_OF_RANGE = (
    Q(power_factor_over_excited__lt=0)
    | Q(power_factor_over_excited__gt=1)
    | Q(power_factor_under_excited__lt=0)
    | Q(power_factor_under_excited__gt=1)
)
VOLTAGES_OUT_OF_ORDER = (
    Q(min_voltage_v__gt=F("nominal_voltage_v")) | Q(nominal_voltage_v__gt=F("max_voltage_v")) | Q(min_voltage_v__gt=F("max_voltage_v"))
)
OPERATING_BEFORE_COMMISSIONED = Q(permission_to_operate_on__lt=F("commissioned_on"))
DECOMMISSIONED_BEFORE_COMMISSIONED = Q(decommissioned_on__lt=F("commissioned_on"))
EXPORT_WITHOUT_AGREEMENT = Q(approved_export_kw__gt=0, interconnection_agreement_no="")
PLACE_OUT_OF_RANGE = Q(latitude__lt=-90) | Q(latitude__gt=90) | Q(longitude__lt=-180) | Q(longitude__gt=180)
TOO_MANY_PHASES = Q(phases_installed__gt=3)
RUN_TIMES_OUT_OF_ORDER = Q(min_run_min__gt=F("max_run_min"))
# storage may export its discharge beside the generation that the nameplate covers
EXPORT_ABOVE_NAMEPLATE = Q(approved_export_kw__gt=F("nameplate_ac_kw")) & ~Q(der_type=str(DerType.PHOTOVOLTAIC_STORAGE))

# What the database refuses in the master record, whoever writes.
HARD_CONDITIONS = {
    **{f"{name}_negative": Q(**{f"{name}__lt": 0}) for name in MAGNITUDES},
    **{f"{name}_missing": Q(**{name: ""}) for name in REQUIRED_TEXTS},
    **{f"{name}_missing": Q(**{f"{name}__isnull": True}) for name in REQUIRED_NUMBERS},
    "storage_without_energy": STORAGE_WITHOUT_ENERGY,
    "usable_above_capacity": USABLE_ABOVE_CAPACITY,
    "minimum_above_capacity": MINIMUM_ABOVE_CAPACITY,
    "efficiency_out_of_range": EFFICIENCY_OUT_OF_RANGE,
    "power_factor_out_of_range": POWER_FACTOR_OUT_OF_RANGE,
    "voltages_out_of_order": VOLTAGES_OUT_OF_ORDER,
    "operating_before_commissioned": OPERATING_BEFORE_COMMISSIONED,
    "decommissioned_before_commissioned": DECOMMISSIONED_BEFORE_COMMISSIONED,
    "export_without_agreement": EXPORT_WITHOUT_AGREEMENT,
    "export_above_nameplate": EXPORT_ABOVE_NAMEPLATE,
    "place_out_of_range": PLACE_OUT_OF_RANGE,
    "too_many_phases": TOO_MANY_PHASES,
    "run_times_out_of_order": RUN_TIMES_OUT_OF_ORDER,
}


class DerQuerySet(ScopedQuerySet):
    """DERs by what is asked of them."""

    def registered(self) -> "DerQuerySet":
        """In the registry and not decommissioned."""
        return self.exclude(status="decommissioned")

    def in_utility(self, edc) -> "DerQuerySet":
        """Connected to a utility."""
        return self.filter(edc=edc)


class TenureQuerySet(ScopedQuerySet):
    """Tenures by their days."""

    def on(self, day: date) -> "TenureQuerySet":
        """The tenures that hold on a day, planned ones too."""
        return self.filter(valid_during__contains=day)

    def due(self, today: date) -> "TenureQuerySet":
        """Running tenures whose days are over, and planned ones whose first day has come."""
        coming = self.filter(Q(status="planned") | Q(status="running", valid_during__upper_inf=False))
        return coming.filter(
            Q(status="planned", valid_during__startswith__lte=today) | Q(status="running", valid_during__endswith__lte=today)
        )
