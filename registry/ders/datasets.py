"""DERs and their tenures, to build reports on."""

from moc.reports.datasets import dataset
from registry.ders.models import Der, DerTenure

PARTIES = (("edc__name", "Utility"), ("aggregator__name", "Aggregator"))

dataset(
    "ders",
    "DERs",
    Der,
    "external_id",
    ("uuid", "DER id"),
    "status",
    "der_type",
    "der_subtype",
    "customer_sector",
    *PARTIES,
    ("county__name", "County"),
    ("county__state", "State"),
    "zip_code",
    ("feeder__code", "Feeder"),
    ("feeder__substation__name", "Substation"),
    ("feeder__substation__td_interface__name", "T-D interface"),
    ("service_point__usage_point_id", "Service point"),
    "nameplate_ac_kw",
    "nameplate_dc_kw",
    "max_charge_kw",
    "max_discharge_kw",
    "energy_capacity_kwh",
    "approved_export_kw",
    "approved_import_kw",
    "export_limit_kw",
    "import_limit_kw",
    "interconnection_kind",
    "interconnection_agreement_on",
    "connection_kind",
    "retail_programs",
    "inverter_certification",
    "abnormal_category",
    "comms_protocol",
    "meter_location",
    "manufacturer",
    "model",
    "commissioned_on",
    "permission_to_operate_on",
    "decommissioned_on",
    "registered_on",
    about="Every registered DER, now or as recorded on a past day.",
)

dataset(
    "tenures",
    "Tenures of DERs",
    DerTenure,
    "external_id",
    "status",
    *PARTIES,
    ("valid_during__startswith", "First day"),
    ("valid_during__endswith", "First day after"),
    ("der__der_type", "Technology"),
    ("der__nameplate_ac_kw", "Nameplate AC (kW)"),
    about="Which aggregator held which DER from one day to another.",
)
