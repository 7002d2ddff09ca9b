"""The data dictionary: every filing column, its group and its names in the standards. Types, labels and choices are the model's (N1).

Read by the file reader (aliases), the template, the form's steps, the help page and the API's documentation.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A field's place and names: `sunspec` of model 702 (IEEE 1547-2018), `ieee_2030_5` a resource attribute, `cim` Class.attribute."""

    group: str
    required: bool = False
    cim: str = ""
    sunspec: str = ""
    ieee_2030_5: str = ""
    eia_861: str = ""
    aemo: str = ""
    aliases: tuple[str, ...] = ()
    example: str = ""
    personal: bool = False


IDENTITY, NAMEPLATE, CONTROL, COMMS, CONNECTION, PLACE, OWNER = (
    "Identification",
    "Nameplate",
    "IEEE 1547 and control",
    "Communications, metering and telemetry",
    "Interconnection and limits",
    "Place",
    "Owner (personal)",
)
GROUPS = (IDENTITY, NAMEPLATE, CONTROL, COMMS, CONNECTION, PLACE, OWNER)


def _term(group: str, aliases: str = "", **names) -> Term:
    return Term(group, aliases=tuple(filter(None, aliases.split("|"))), **names)


FIELDS: dict[str, Term] = {
    "external_id": _term(
        IDENTITY, "asset id|id|client id|your id", required=True, cim="EndDevice.name", aemo="deviceIdentifier", example="HA-000001"
    ),
    "der_type": _term(
        IDENTITY,
        "technology|type|technology type|der technology",
        required=True,
        cim="PowerElectronicsUnit (class)",
        ieee_2030_5="DERCapability.type",
        eia_861="technology columns of Net Metering",
        aemo="derDevices.type",
        example="photovoltaic",
    ),
    "der_subtype": _term(IDENTITY, "subtype", aemo="derDevices.subtype", example="rooftop"),
    "manufacturer": _term(
        IDENTITY,
        "make|inverter manufacturer",
        cim="Asset.manufacturer",
        ieee_2030_5="DeviceInformation.mfInfo",
        aemo="manufacturerName",
        example="Acme Solar",
    ),
    "model": _term(
        IDENTITY,
        "inverter model|model number",
        cim="ProductAssetModel.modelNumber",
        ieee_2030_5="DeviceInformation.mfModel",
        aemo="inverterModelNumber",
        example="AS-7600",
    ),
    "serial_no": _term(
        IDENTITY,
        "serial|serial number|serialnumber",
        cim="Asset.serialNumber",
        ieee_2030_5="DeviceInformation.mfSerNum",
        example="AS76-2201-0042",
    ),
    "firmware": _term(IDENTITY, "firmware version", ieee_2030_5="DeviceInformation.swVer", example="4.2.1"),
    "inverter_certification": _term(IDENTITY, "certification|ul1741", example="ul1741sb"),
    "commissioned_on": _term(
        IDENTITY,
        "commissioning date|commission date|in service date",
        cim="Asset.inUseDate",
        aemo="commissioningDate",
        example="2018-05-14",
    ),
    "permission_to_operate_on": _term(IDENTITY, "pto date|pto|permission to operate", example="2018-06-01"),
    "decommissioned_on": _term(IDENTITY, "decommission date|retirement date", cim="Asset.retiredDate"),
    "nameplate_ac_kw": _term(
        NAMEPLATE,
        "nameplate kw|ac kw|system size ac|capacity kw|kw ac",
        required=True,
        cim="PowerElectronicsUnit.maxP",
        sunspec="WMaxRtg",
        ieee_2030_5="DERCapability.rtgMaxW",
        eia_861="capacity_mw",
        aemo="nominalRatedCapacity",
        example="7.6",
    ),
    "nameplate_dc_kw": _term(NAMEPLATE, "dc kw|system size dc|kw dc", eia_861="capacity_mw (DC)", example="9.2"),
    "rated_kva": _term(
        NAMEPLATE,
        "kva|rated va",
        cim="PowerElectronicsConnection.ratedS",
        sunspec="VAMaxRtg",
        ieee_2030_5="DERCapability.rtgMaxVA",
        aemo="inverterDeviceCapacity",
        example="7.6",
    ),
    "rated_inject_kvar": _term(
        NAMEPLATE,
        "kvar injected",
        cim="PowerElectronicsConnection.maxQ",
        sunspec="VarMaxInjRtg",
        ieee_2030_5="DERCapability.rtgMaxVar",
        example="3.3",
    ),
    "rated_absorb_kvar": _term(
        NAMEPLATE,
        "kvar absorbed",
        cim="PowerElectronicsConnection.minQ",
        sunspec="VarMaxAbsRtg",
        ieee_2030_5="DERCapability.rtgMaxVarNeg",
        example="3.3",
    ),
    "max_charge_kw": _term(
        NAMEPLATE,
        "charge kw|maximum charge",
        cim="PowerElectronicsUnit.minP",
        sunspec="WChaRteMaxRtg",
        ieee_2030_5="DERCapability.rtgMaxChargeRateW",
        example="5",
    ),
    "max_discharge_kw": _term(
        NAMEPLATE,
        "discharge kw|maximum discharge",
        cim="PowerElectronicsUnit.maxP",
        sunspec="WDisChaRteMaxRtg",
        ieee_2030_5="DERCapability.rtgMaxDischargeRateW",
        example="5",
    ),
    "energy_capacity_kwh": _term(
        NAMEPLATE,
        "kwh|storage capacity|storage kwh|energy kwh",
        cim="BatteryUnit.ratedE",
        ieee_2030_5="DERCapability.rtgMaxWh",
        eia_861="all_storage_energy_capacity_mwh",
        aemo="nominalStorageCapacity",
        example="13.5",
    ),
    "usable_energy_kwh": _term(NAMEPLATE, "usable kwh", ieee_2030_5="DERSettings.setMaxWh"),
    "min_stored_energy_kwh": _term(
        NAMEPLATE, "minimum soc kwh|min soc kwh", cim="BatteryUnit.minimumE", ieee_2030_5="DERSettings.setMinWh"
    ),
    "round_trip_efficiency_percent": _term(NAMEPLATE, "efficiency|round trip efficiency", cim="BatteryUnit.chargingEfficiency"),
    "nominal_voltage_v": _term(
        NAMEPLATE,
        "voltage|nominal voltage",
        cim="PowerElectronicsConnection.ratedU",
        sunspec="VNomRtg",
        ieee_2030_5="DERCapability.rtgVNom",
        example="240",
    ),
    "min_voltage_v": _term(NAMEPLATE, sunspec="VMinRtg", ieee_2030_5="DERCapability.rtgMinV"),
    "max_voltage_v": _term(NAMEPLATE, sunspec="VMaxRtg", ieee_2030_5="DERCapability.rtgMaxV"),
    "max_current_a": _term(NAMEPLATE, "amps|maximum current", sunspec="AMaxRtg", ieee_2030_5="DERCapability.rtgMaxA"),
    "power_factor_over_excited": _term(NAMEPLATE, "pf over excited", sunspec="WOvrExtRtgPF", ieee_2030_5="DERCapability.rtgOverExcitedPF"),
    "power_factor_under_excited": _term(
        NAMEPLATE, "pf under excited", sunspec="WUndExtRtgPF", ieee_2030_5="DERCapability.rtgUnderExcitedPF"
    ),
    "normal_category": _term(
        CONTROL, "1547 normal category", sunspec="NorOpCatRtg (A=0)", ieee_2030_5="DERCapability.rtgNormalCategory (A=1)", example="b"
    ),
    "abnormal_category": _term(
        CONTROL, "1547 abnormal category", sunspec="AbnOpCatRtg (I=0)", ieee_2030_5="DERCapability.rtgAbnormalCategory (I=1)", example="ii"
    ),
    "control_modes": _term(
        CONTROL,
        "controls",
        cim="DERFunction",
        sunspec="CtrlModes",
        ieee_2030_5="DERCapability.modesSupported",
        example="volt_var;freq_watt",
    ),
    "envelope_modes": _term(CONTROL, "doe modes", ieee_2030_5="opModImpLimW, opModExpLimW, … (CSIP-AUS)", example="op_mod_exp_lim_w"),
    "islanding": _term(CONTROL, "island", sunspec="IntIslandCatRtg", aemo="islandableInstallation", example="none"),
    "ramp_up_kw_per_min": _term(CONTROL, "ramp up", ieee_2030_5="DERSettings.setGradW"),
    "ramp_down_kw_per_min": _term(CONTROL, "ramp down"),
    "response_time_s": _term(CONTROL, "response time"),
    "min_run_min": _term(CONTROL, "minimum run time"),
    "max_run_min": _term(CONTROL, "maximum run time"),
    "protection_settings": _term(CONTROL, "protection", aemo="protectionMode"),
    "comms_protocol": _term(COMMS, "protocol", example="ieee_2030_5"),
    "comms_endpoint": _term(COMMS, "endpoint", ieee_2030_5="EndDevice.lFDI"),
    "comms_latency_s": _term(COMMS, "latency"),
    "meter_id": _term(COMMS, "meter|meter number", cim="Meter.name", example="M1234567"),
    "meter_location": _term(COMMS, "metering location", example="rdp"),
    "meter_interval_min": _term(COMMS, "meter interval", cim="ReadingType.intervalLength", example="15"),
    "meter_revenue_grade": _term(COMMS, "revenue grade", example="true"),
    "meter_reader": _term(COMMS, "amr|assigned meter reader", example="host_utility"),
    "telemetry_interval_s": _term(COMMS, "telemetry interval", ieee_2030_5="MirrorUsagePoint.postRate"),
    "telemetry_points": _term(COMMS, "telemetry", cim="DERMonitorableParameter.DERParameter"),
    "utility_id_eia": _term(
        CONNECTION,
        "utility|utility id|eia utility id|edc",
        required=True,
        cim="UsagePoint.ServiceSupplier",
        eia_861="utility_id_eia",
        example="9726",
    ),
    "usage_point_id": _term(
        CONNECTION,
        "service point|nmi|usage point|service point id",
        required=True,
        cim="UsagePoint.mRID",
        ieee_2030_5="ConnectionPoint.connectionPointId",
        aemo="servicePointId",
        example="JCPL-0000042",
    ),
    "phases_installed": _term(CONNECTION, "phases", cim="UsagePoint.phaseCount", aemo="installedPhasesCount", example="1"),
    "connection_kind": _term(CONNECTION, "connection|ftm btm", example="btm"),
    "customer_sector": _term(CONNECTION, "sector|customer class", required=True, eia_861="customer class", example="residential"),
    "interconnection_agreement_no": _term(
        CONNECTION, "interconnection agreement|ia number|application id", cim="CustomerAgreement.name", example="IA-2018-00042"
    ),
    "interconnection_agreement_on": _term(CONNECTION, "ia date|app approved date", cim="Agreement.signDate", example="2018-04-02"),
    "interconnection_kind": _term(CONNECTION, "interconnection type", example="net_metering"),
    "interconnection_capacity_kw": _term(CONNECTION, "ia capacity kw", example="7.6"),
    "approved_export_kw": _term(
        CONNECTION,
        "export kw|export limit|approved capacity",
        required=True,
        ieee_2030_5="DefaultDERControl.opModExpLimW",
        aemo="approvedCapacity",
        example="7.6",
    ),
    "approved_import_kw": _term(
        CONNECTION,
        "import kw|import limit",
        required=True,
        cim="UsagePoint.ratedPower",
        ieee_2030_5="DefaultDERControl.opModImpLimW",
        example="0",
    ),
    "temporal_limits": _term(CONNECTION, "time limits"),
    "retail_programs": _term(CONNECTION, "programs|tariff|nem tariff", eia_861="Net Metering", example="NEM"),
    "transmission_node": _term(CONNECTION, "ptid|pnode|epnode|sub lap"),
    "metering_domain": _term(CONNECTION, "domain"),
    "consent_reference": _term(CONNECTION, "consent|consent id", required=True, example="C-2024-00042"),
    "premise_address": _term(
        PLACE, "address|street address|service address", required=True, cim="ServiceLocation.mainAddress", example="12 Elm Street, Dover"
    ),
    "zip_code": _term(PLACE, "zip|postal code|service zip", cim="StreetDetail.postalCode", example="07801"),
    "county_fips": _term(PLACE, "county|fips|service county", eia_861="county", example="34027"),
    "latitude": _term(PLACE, "lat", cim="PositionPoint.yPosition", example="40.884"),
    "longitude": _term(PLACE, "lon|long|lng", cim="PositionPoint.xPosition", example="-74.562"),
    "edc_account_no": _term(
        OWNER, "account|account number|utility account", required=True, cim="CustomerAccount.name", personal=True, example="100000042"
    ),
    "owner_name": _term(OWNER, "owner|customer name|customer", cim="Customer.name", personal=True, example="A. Example"),
    "owner_email": _term(OWNER, "email|e-mail", personal=True, example="owner@example.org"),
    "owner_phone": _term(OWNER, "phone|telephone", personal=True),
}

REQUIRED = tuple(name for name, term in FIELDS.items() if term.required)
PERSONAL = tuple(name for name, term in FIELDS.items() if term.personal)


def by_group() -> dict[str, list[str]]:
    """The fields of each group, in filing order."""
    return {group: [name for name, term in FIELDS.items() if term.group == group] for group in GROUPS}
