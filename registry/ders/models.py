"""The standard data model of a DER (N1), and the master record."""

import uuid
from functools import reduce
from operator import or_

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from moc.access.models import Organization
from moc.access.tenure import Tenure
from moc.access.visibility import FieldGroup
from moc.history import DatabaseTrigger, Versions
from moc.lifecycle import Lifecycle, Transition
from moc.units import MagnitudeField
from registry.ders import choices
from registry.ders.choices import technologies
from registry.ders.queries import HARD_CONDITIONS, DerQuerySet, TenureQuerySet
from registry.grid.models import County, Feeder, ServicePoint
from registry.participants.models import DerOwner


def codes(kind: type[models.TextChoices], label: str, **kwargs) -> models.CharField:
    return models.CharField(label, max_length=30, choices=kind.choices, blank=True, **kwargs)


def code_set(kind: type[models.TextChoices], label: str) -> ArrayField:
    return ArrayField(models.CharField(max_length=30, choices=kind.choices), verbose_name=label, default=list, blank=True)


def magnitude(label: str, **kwargs) -> MagnitudeField:
    return MagnitudeField(label, null=True, blank=True, **kwargs)


FIELD_GROUPS = (
    FieldGroup("ders", "equipment", "Equipment", ("manufacturer", "model", "serial_no", "firmware", "inverter_certification")),
    FieldGroup(
        "ders",
        "communications",
        "Communications",
        ("comms_protocol", "comms_endpoint", "comms_latency_s", "telemetry_interval_s", "telemetry_points"),
    ),
    FieldGroup("ders", "protection", "Protection settings", ("protection_settings",)),
    FieldGroup("ders", "metering", "Metering", ("meter_id", "meter_location", "meter_interval_min", "meter_revenue_grade", "meter_reader")),
    FieldGroup("ders", "place", "Place", ("premise_address", "zip_code", "latitude", "longitude")),
)


class DerFacts(models.Model):
    """The technical facts of a DER, shared by the master record and its staged filings: rules are written against these columns.

    Powers in kW, kVA and kvar, energies in kWh; what is required and what each field is called in the standards says dictionary.py.
    """

    field_groups, hidden_by = FIELD_GROUPS, "edc"

    # identification
    external_id = models.CharField(
        "your id", max_length=64, help_text="the aggregator's own identifier; filing it again updates the record"
    )
    der_type = models.CharField("technology", max_length=30, choices=technologies, blank=True)
    der_subtype = models.CharField("subtype", max_length=40, blank=True, help_text="such as li_ion, heat_pump_water_heater, v2g")
    manufacturer = models.CharField(max_length=80, blank=True)
    model = models.CharField(max_length=80, blank=True)
    serial_no = models.CharField("serial number", max_length=80, blank=True)
    firmware = models.CharField(max_length=40, blank=True)
    inverter_certification = codes(choices.InverterCertification, "inverter certification")
    commissioned_on = models.DateField("commissioned on", null=True, blank=True)
    permission_to_operate_on = models.DateField("permission to operate on", null=True, blank=True)
    decommissioned_on = models.DateField("decommissioned on", null=True, blank=True)

    # nameplate
    nameplate_ac_kw = magnitude("nameplate AC (kW)")
    nameplate_dc_kw = magnitude("nameplate DC (kW)")
    rated_kva = magnitude("rated apparent power (kVA)")
    rated_inject_kvar = magnitude("rated injected reactive power (kvar)")
    rated_absorb_kvar = magnitude("rated absorbed reactive power (kvar)")
    max_charge_kw = magnitude("maximum charge (kW)")
    max_discharge_kw = magnitude("maximum discharge (kW)")
    energy_capacity_kwh = magnitude("energy capacity (kWh)")
    usable_energy_kwh = magnitude("usable energy (kWh)")
    min_stored_energy_kwh = magnitude("minimum stored energy (kWh)")
    round_trip_efficiency_percent = magnitude("round-trip efficiency (%)")
    nominal_voltage_v = magnitude("nominal voltage (V)")
    min_voltage_v = magnitude("minimum voltage (V)")
    max_voltage_v = magnitude("maximum voltage (V)")
    max_current_a = magnitude("maximum current (A)")
    power_factor_over_excited = magnitude("power factor, over-excited")
    power_factor_under_excited = magnitude("power factor, under-excited")

    # IEEE 1547-2018 and control
    normal_category = codes(choices.NormalCategory, "normal performance category")
    abnormal_category = codes(choices.AbnormalCategory, "abnormal performance category")
    control_modes = code_set(choices.ControlMode, "control modes")
    envelope_modes = code_set(choices.EnvelopeMode, "envelope modes")
    islanding = code_set(choices.Islanding, "islanding")
    ramp_up_kw_per_min = magnitude("ramp up (kW/min)")
    ramp_down_kw_per_min = magnitude("ramp down (kW/min)")
    response_time_s = models.PositiveIntegerField("response time (s)", null=True, blank=True)
    min_run_min = models.PositiveIntegerField("minimum run (min)", null=True, blank=True)
    max_run_min = models.PositiveIntegerField("maximum run (min)", null=True, blank=True)
    protection_settings = models.JSONField(
        "protection settings", null=True, blank=True, help_text="JSON object; the names of AEMO protectionMode"
    )

    # communications, metering, telemetry
    comms_protocol = codes(choices.CommsProtocol, "communications protocol")
    comms_endpoint = models.CharField("communications endpoint", max_length=200, blank=True)
    comms_latency_s = magnitude("communications latency (s)")
    meter_id = models.CharField("meter id", max_length=60, blank=True)
    meter_location = codes(choices.MeterLocation, "meter location")
    meter_interval_min = models.PositiveIntegerField("meter interval (min)", null=True, blank=True)
    meter_revenue_grade = models.BooleanField("revenue-grade meter", null=True, blank=True)
    meter_reader = codes(choices.MeterReader, "meter reader")
    telemetry_interval_s = models.PositiveIntegerField("telemetry interval (s)", null=True, blank=True)
    telemetry_points = ArrayField(models.CharField(max_length=40), verbose_name="telemetry points", default=list, blank=True)

    # connection and location
    phases_installed = models.PositiveSmallIntegerField("phases installed", null=True, blank=True)
    connection_kind = codes(choices.ConnectionKind, "connection")
    customer_sector = codes(choices.CustomerSector, "customer sector")
    interconnection_agreement_no = models.CharField("interconnection agreement", max_length=60, blank=True)
    interconnection_agreement_on = models.DateField("agreement date", null=True, blank=True)
    interconnection_kind = codes(choices.InterconnectionKind, "interconnection kind")
    interconnection_capacity_kw = magnitude("interconnection capacity (kW)")
    approved_export_kw = magnitude("approved export (kW)")
    approved_import_kw = magnitude("approved import (kW)")
    temporal_limits = models.JSONField(
        "temporal limits",
        null=True,
        blank=True,
        help_text="JSON list of {rrule, starts, ends, export_kw, import_kw}: season and time windows",
    )
    retail_programs = ArrayField(models.CharField(max_length=40), verbose_name="retail programs", default=list, blank=True)
    consent_reference = models.CharField(
        "customer consent", max_length=80, blank=True, help_text="reference of the customer's consent to share data"
    )
    premise_address = models.CharField("premise address", max_length=200, blank=True)
    zip_code = models.CharField("ZIP code", max_length=10, blank=True)
    latitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)
    longitude = models.DecimalField(max_digits=8, decimal_places=5, null=True, blank=True)
    transmission_node = models.CharField("transmission node", max_length=60, blank=True)
    metering_domain = models.CharField("metering domain", max_length=60, blank=True)

    class Meta:
        abstract = True


class TenureBegins(DatabaseTrigger):
    """Whoever inserts DERs, each begins its aggregator's tenure on the day of its registration: one statement for any number."""

    level, when, operation = pgtrigger.Statement, pgtrigger.After, pgtrigger.Insert
    referencing = pgtrigger.Referencing(new="changed")

    def get_func(self, model) -> str:
        return """
            INSERT INTO registry_dertenure (der_id, aggregator_id, edc_id, external_id, status, is_first, valid_during)
            SELECT id, aggregator_id, edc_id, external_id, 'running', TRUE, daterange(registered_on, NULL)
            FROM changed WHERE aggregator_id IS NOT NULL;
            RETURN NULL;"""


class HeldByTenure(DatabaseTrigger):
    """A DER is its aggregator's by a running tenure, and nobody's without one: no other writer moves it. Free where it does not move."""

    level, when, operation = pgtrigger.Row, pgtrigger.Before, pgtrigger.Update

    def render_condition(self, model) -> str:
        return "WHEN (OLD.aggregator_id IS DISTINCT FROM NEW.aggregator_id)"

    def get_func(self, model) -> str:
        return """
            IF NEW.aggregator_id IS DISTINCT FROM
                (SELECT aggregator_id FROM registry_dertenure WHERE der_id = NEW.id AND status = 'running') THEN
                RAISE EXCEPTION 'DER: its aggregator is the one whose tenure is running'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'der_held_by_tenure';
            END IF;
            RETURN NEW;"""


class TenureUtility(DatabaseTrigger):
    """A DER that comes to another utility takes its tenures along: they carry the utility as an access key."""

    level, when, operation = pgtrigger.Row, pgtrigger.After, pgtrigger.Update

    def render_condition(self, model) -> str:
        return "WHEN (OLD.edc_id IS DISTINCT FROM NEW.edc_id)"

    def get_func(self, model) -> str:
        return "UPDATE registry_dertenure SET edc_id = NEW.edc_id WHERE der_id = NEW.id; RETURN NULL;"


DECIDED = ("export_limit_kw", "import_limit_kw", "limits_by_time", "inverter_settings")  # what a decision sets
LIMITED = reduce(or_, (Q(**{f"{name}__isnull": False}) for name in DECIDED))


class Der(DerFacts):
    """The master record of a DER. Inserted and changed only by the decision on a filing; its versions are never lost.

    `aggregator` and `external_id` are those of the running tenure; between two tenures nobody's.
    `edc`, `aggregator`, `feeder` and `county` stand here, though the service point knows them, because lists are cut by them.
    """

    access_paths = ("aggregator", "edc")
    access_tenure = Tenure("registry.DerTenure")

    class Status(models.TextChoices):
        APPROVED = "approved", "Approved"
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Inactive"
        DECOMMISSIONED = "decommissioned", "Decommissioned"

    lifecycle = Lifecycle(
        Transition("activate", (Status.APPROVED, Status.INACTIVE), Status.ACTIVE, None),
        Transition("deactivate", (Status.ACTIVE,), Status.INACTIVE, None, needs_reason=True),
        Transition(
            "decommission",
            (Status.APPROVED, Status.ACTIVE, Status.INACTIVE),
            Status.DECOMMISSIONED,
            None,
            needs_reason=True,
            danger=True,
        ),
        initial=(Status.APPROVED, Status.ACTIVE),
    )

    uuid = models.UUIDField("DER id (mRID)", default=uuid.uuid4, editable=False, db_default=models.Func(function="gen_random_uuid"))
    status = models.CharField(max_length=15, choices=Status.choices, default=Status.APPROVED)
    aggregator = models.ForeignKey(Organization, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    edc = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name="utility")
    service_point = models.ForeignKey(ServicePoint, on_delete=models.PROTECT, related_name="ders", db_index=False)
    feeder = models.ForeignKey(Feeder, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    county = models.ForeignKey(County, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    owner = models.ForeignKey(DerOwner, null=True, blank=True, on_delete=models.PROTECT, related_name="ders", db_index=False)
    registered_on = models.DateField("registered on")
    export_limit_kw = magnitude("export limit (kW)", help_text="set by the utility's decision")
    import_limit_kw = magnitude("import limit (kW)", help_text="set by the utility's decision")
    limits_by_time = models.JSONField("limits by time", null=True, blank=True, help_text="set by the utility's decision")
    inverter_settings = models.JSONField("inverter settings", null=True, blank=True, help_text="set by the utility's decision")

    objects = DerQuerySet.as_manager()
    history = Versions(listed_by=("aggregator", "edc"), fed=True)

    class Meta:
        verbose_name = "DER"
        triggers = [TenureBegins(name="tenure_begins"), HeldByTenure(name="held_by_tenure"), TenureUtility(name="tenure_utility")]
        constraints = [
            models.UniqueConstraint(fields=["uuid"], name="der_uuid"),
            models.UniqueConstraint(fields=["aggregator", "external_id"], name="der_external_id"),
            *[models.CheckConstraint(condition=~condition, name=f"der_{name}") for name, condition in HARD_CONDITIONS.items()],
        ]
        indexes = [
            # with the other party, whom row-level security asks for too: so it is answered from the index
            models.Index(fields=["aggregator", "-id"], include=["edc"], name="der_by_aggregator"),
            models.Index(fields=["edc", "-id"], include=["aggregator"], name="der_by_edc"),
            models.Index(fields=["aggregator", "-nameplate_ac_kw", "-id"], include=["edc"], name="der_by_aggregator_kw"),
            models.Index(fields=["edc", "-nameplate_ac_kw", "-id"], include=["aggregator"], name="der_by_edc_kw"),
            models.Index(fields=["-nameplate_ac_kw", "-id"], name="der_by_kw"),
            models.Index(fields=["service_point", "der_type"], name="der_by_service_point"),
            models.Index(fields=["feeder", "-id"], name="der_by_feeder"),
            models.Index(Upper("serial_no"), name="der_by_serial", condition=~models.Q(serial_no="")),
            models.Index(fields=["owner"], name="der_by_owner"),
            models.Index(fields=["feeder"], name="der_limited", condition=LIMITED),  # few
            GinIndex(OpClass(Upper("premise_address"), name="gin_trgm_ops"), name="der_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.get_der_type_display()} {self.external_id}"


class FirstByRegistration(DatabaseTrigger):
    """A tenure is somebody's first only by the registration of the DER, and begins without an end."""

    level, when, operation = pgtrigger.Row, pgtrigger.Before, pgtrigger.Insert

    def render_condition(self, model) -> str:
        return "WHEN (NEW.is_first AND pg_trigger_depth() = 0 OR NOT upper_inf(NEW.valid_during))"

    def get_func(self, model) -> str:
        return """RAISE EXCEPTION 'A tenure begins without an end, the first with its DER'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'tenure_first';"""


class FirstForGood(FirstByRegistration):
    """A first tenure that was given an end counts as any other from then on."""

    operation = pgtrigger.Update

    def render_condition(self, model) -> str:
        return "WHEN (NEW.is_first AND NOT OLD.is_first)"


class DerTenure(models.Model):
    """The days on which an aggregator holds a DER: whole days in the state's time zone, half open, one aggregator at a time.

    The exclusion constraint leaves out the first tenure while it has no end: it is alone (tenure_open, FirstByRegistration), and a million
    registrations would cost forty seconds more. `closing` is the DER's version that stood when the last day ended, `service_point` where
    it was connected then; `external_id` the aggregator's own name of the DER. `edc` stands here because lists are cut by it.
    """

    access_paths = ("aggregator", "edc")

    class Status(models.TextChoices):
        PLANNED = "planned", "Planned"
        RUNNING = "running", "Running"
        ENDED = "ended", "Ended"

    lifecycle = Lifecycle(
        Transition("begin", (Status.PLANNED,), Status.RUNNING, None),
        Transition("end", (Status.RUNNING,), Status.ENDED, None),
        Transition("lapse", (Status.PLANNED,), Status.ENDED, None),
        initial=(Status.PLANNED, Status.RUNNING),
    )

    der = models.ForeignKey(Der, on_delete=models.CASCADE, related_name="tenures", db_constraint=False)
    aggregator = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    edc = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False, verbose_name="utility"
    )
    external_id = models.CharField("aggregator's id", max_length=64, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PLANNED)
    is_first = models.BooleanField("by registration, without an end", default=False)
    valid_during = DateRangeField("days", help_text="the first day, and the first day after it")
    closing = models.OneToOneField(
        "registry.HistoricalDer", null=True, blank=True, on_delete=models.PROTECT, related_name="closes", db_constraint=False
    )
    service_point = models.ForeignKey(
        ServicePoint, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )

    objects = TenureQuerySet.as_manager()
    history = Versions()

    class Meta:
        verbose_name = "DER tenure"
        triggers = [FirstByRegistration(name="tenure_first"), FirstForGood(name="tenure_first_for_good")]
        constraints = [
            ExclusionConstraint(
                name="tenure_one_at_a_time",
                expressions=[("der", RangeOperators.EQUAL), ("valid_during", RangeOperators.OVERLAPS)],
                condition=Q(is_first=False),
                violation_error_message="Another aggregator holds the DER on some of these days.",
            ),
            models.UniqueConstraint(fields=["der"], condition=Q(valid_during__upper_inf=True), name="tenure_open"),
            models.CheckConstraint(condition=Q(valid_during__isempty=False), name="tenure_has_days"),
            models.CheckConstraint(condition=Q(is_first=False) | Q(valid_during__upper_inf=True), name="tenure_first_is_open"),
            models.CheckConstraint(condition=Q(status="ended") | Q(closing__isnull=True), name="tenure_closed_when_ended"),
        ]
        indexes = [
            models.Index(F("aggregator"), F("der").desc(), F("closing").desc(), name="tenure_ended_by", condition=Q(closing__isnull=False)),
            models.Index(F("edc"), F("der").desc(), F("closing").desc(), name="tenure_ended_at", condition=Q(closing__isnull=False)),
            models.Index(F("der").desc(), F("closing").desc(), name="tenure_ended_newest", condition=Q(closing__isnull=False)),
            models.Index(fields=["aggregator", "external_id"], name="tenure_ended_id", condition=Q(status="ended")),
            models.Index(fields=["service_point"], name="tenure_ended_place", condition=Q(service_point__isnull=False)),
            models.Index(
                fields=["id"],
                name="tenure_coming",
                condition=Q(status="planned") | Q(status="running", valid_during__upper_inf=False),
            ),
        ]

    def __str__(self) -> str:
        days = self.valid_during
        return f"{self.aggregator}, {days.lower} to {days.upper}" if days.upper else f"{self.aggregator} from {days.lower}"
