"""The packs of six RTOs and of a balancing authority without a market, as sourced.

Each row: key, authority, value, unit, source, verified. A pack can be adopted by any organisation (key "pack"): its own rows come first.
A fact from memory or from a secondary source is not verified, and its source says which.
"""

MEMORY = "From memory; the tariff was not read"
SECONDARY = "Secondary source; the tariff was not read: "
WHOLESALE = ["energy", "capacity", "regulation", "spinning_reserve", "non_spinning_reserve", "demand_response"]
DOUBLE = "FERC Order 2222 ¶159–160; "

_PJM = [
    ("market_timezone", "America/New_York", "IANA zone", "The zone of PJM's prevailing time", False),
    ("min_aggregation_kw", 100, "kW", MEMORY + "; FERC Order 2222 ¶171: at most 100 kW", False),
    ("max_multinode_kw", 167_000, "kW", SECONDARY + "approved 2024-07-25 (ER22-962), read in the press as per aggregation", False),
    ("min_der_kw", "none", "kW", MEMORY, False),
    ("max_der_kw", 5_000, "kW", MEMORY, False),
    ("location_scope", "pnode_set", "scope", SECONDARY + "multi-node with a cap accepted 2024-07-25; Utility Dive 2023, press 2024", False),
    ("pre_registration", True, "boolean", "PJM's summary of its 2022 compliance filing, ER22-962; final tariff text not read", False),
    ("day_ahead_close", "11:00", "local time", SECONDARY + "Manual 11 §2.3.1 as quoted", False),
    ("day_ahead_publish", "13:30", "local time", SECONDARY + "Manual 11 §2.3.1 as quoted", False),
    ("rebid_close", "14:15", "local time", SECONDARY + "Manual 11 §2.3.1 as quoted", False),
    ("real_time_lock_min", 65, "minutes", SECONDARY + "Manual 11 §2.3.1 as quoted", False),
    ("offer_granularity_min", 60, "minutes", MEMORY, False),
    ("real_time_interval_min", 5, "minutes", "FERC Order 825: settlement at the dispatch interval", False),
    (
        "retail_conflicts",
        {"nem_full_retail": ["capacity", "energy"]},
        "codes",
        DOUBLE + SECONDARY + "FERC's 2023 and 2024 orders on ER22-962",
        False,
    ),
    (
        "participation_starts",
        {"capacity": "2027-02-01", "*": "2028-02-01"},
        "days",
        SECONDARY + "FERC's explainer as quoted; proposed 2026, later 2028",
        False,
    ),
    (
        "participation_models",
        {"dera": "DER Aggregator Participation Model", "der_capacity_aggregation": "DER Capacity Aggregation Resource"},
        "codes and names",
        "PJM's summary of its filing, ER22-962; Christie concurrence, ER22-962-004",
        False,
    ),
]

_NYISO = [
    ("market_timezone", "America/New_York", "IANA zone", "The zone of NYISO's prevailing time", False),
    ("min_aggregation_kw", 100, "kW", SECONDARY + "Latitude Media on the 100 kW minimum", False),
    ("max_aggregation_injection_kw", 20_000, "kW", SECONDARY + "press on FERC's order of 2020", False),
    (
        "location_scope",
        "single_transmission_node",
        "scope",
        "Steptoe on FERC's order, 179 FERC ¶61,198: a single Transmission Node; RG&E confirms",
        True,
    ),
    ("day_ahead_close", "05:00", "local time", "NYISO Market Services Tariff 4.2.1.1", True),
    ("real_time_interval_min", 5, "minutes", MEMORY, False),
    (
        "retail_conflicts",
        {
            name: ["energy", "capacity", "regulation", "spinning_reserve", "non_spinning_reserve"]
            for name in ("nem", "value_stack", "buyback")
        }
        | {"load_modifier": ["capacity"]},
        "codes",
        DOUBLE + "the utilities' FAQ of 2022: must move to the Wholesale Value Stack and WDS; re-check",
        False,
    ),
    ("participation_starts", {"*": "2024-04-16"}, "days", "FERC, 187 FERC ¶61,022 (ER23-2040): accepted effective 2024-04-16", False),
    ("participation_models", {"aggregation": "Aggregation of DERs"}, "codes and names", SECONDARY + "press on NYISO's DER plan", False),
]

_CAISO = [
    ("market_timezone", "America/Los_Angeles", "IANA zone", "The zone of CAISO's prevailing time", False),
    (
        "min_aggregation_kw",
        100,
        "kW",
        "FERC's page on CAISO's compliance filing (ER21-2455): lowered from 500 kW; later compliance approved",
        False,
    ),
    ("max_multinode_kw", 20_000, "kW", MEMORY, False),
    ("location_scope", "pnode_set_within_sublap", "scope", "155 FERC ¶61,229: several pnodes; within one sub-LAP from memory", False),
    ("telemetry_from_kw", 10_000, "kW", SECONDARY + "press on CAISO's tariff of 2016", False),
    (
        "telemetry_services",
        ["regulation", "spinning_reserve", "non_spinning_reserve"],
        "codes",
        SECONDARY + "press on CAISO's tariff of 2016: any ancillary service",
        False,
    ),
    ("metering_entity", "scheduling_coordinator", "who", SECONDARY + "Troutman on CAISO's framework of 2015", False),
    ("day_ahead_close", "10:00", "local time", MEMORY + ", and a repository", False),
    ("day_ahead_publish", "13:00", "local time", "Press on CAISO's day-ahead market", False),
    ("real_time_lock_min", 75, "minutes", "Press on CAISO's real-time market", False),
    (
        "participation_models",
        {"dera": "DER Aggregation of a DER Provider (DERP)"},
        "codes and names",
        "155 FERC ¶61,229 (ER16-1085)",
        False,
    ),
]

_ISO_NE = [
    ("market_timezone", "America/New_York", "IANA zone", "The zone of ISO-NE's prevailing time", False),
    ("min_aggregation_kw", 100, "kW", MEMORY, False),
    ("utility_review_days", 60, "calendar days", MEMORY, False),
    ("metering_locations", ["rdp", "poi"], "codes", SECONDARY + "ISO-NE Tariff III.6.4 as quoted", False),
    (
        "btm_metering_needs_utility",
        True,
        "boolean",
        SECONDARY + "ISO-NE Tariff III.6.4 as quoted: the host utility confirms in writing",
        False,
    ),
    ("meter_data_due", {"host_amr": "next_bd 08:00", "iso": "bd+2 13:00"}, "", SECONDARY + "ISO-NE Tariff III.6.4 as quoted", False),
    ("meter_retention_years", 6, "years", SECONDARY + "ISO-NE Tariff III.6.4 as quoted", False),
    ("day_ahead_close", "10:30", "local time", "ISO-NE's filing of 2020-07-27", False),
    ("day_ahead_publish", "13:30", "local time", SECONDARY + "the timeline of 2013", False),
    ("participation_starts", {"*": "2026-11-01"}, "days", SECONDARY + "tariff as quoted: energy and ancillary services", False),
    (
        "participation_models",
        {
            "drdera": "Demand Response DER Aggregation",
            "sodera": "Settlement Only DER Aggregation",
            "generator_asset": "Generator Asset",
            "continuous_storage": "Continuous Storage Facility",
            "binary_storage": "Binary Storage Facility",
            "atrr": "Alternative Technology Regulation Resource",
            "drr": "Demand Response Resource",
        },
        "codes and names",
        SECONDARY + "press on ISO-NE's compliance: two new models, five amended",
        False,
    ),
]

_MISO = [
    ("market_timezone", "EST", "IANA zone", "MISO: the operating day is in EST all year; deadlines are in prevailing time", False),
    ("min_aggregation_kw", 100, "kW", SECONDARY + "RTO Insider: the interim 1 MW floor was held too large", False),
    ("location_scope", "single_pricing_node", "scope", SECONDARY + "RTO Insider on FERC's order of 16 January", False),
    ("day_ahead_close", "10:30", "local time", "MISO: 10:30 EPT", True),
    ("day_ahead_publish", "13:30", "local time", "MISO: results 13:30–14:00 EPT", True),
    ("participation_starts", {"*": "2030"}, "days", SECONDARY + "RTO Insider: preparation to mid-2029, full acceptance 2030", False),
    (
        "participation_models",
        {"dear": "Distributed Energy Aggregated Resource"},
        "codes and names",
        SECONDARY + "press on MISO's filing",
        False,
    ),
]

_SPP = [
    ("location_scope", "single_settlement_location", "scope", SECONDARY + "press: multi-node not permitted in the first filing", False),
    ("day_ahead_close", "09:30", "local time", MEMORY, False),
    ("participation_starts", {"*": None}, "days", "Not known: asked for 2025, slipped", False),
]

_BILATERAL = "Platform default for a balancing authority without a market: services are bought by bilateral programmes"
_BALANCING = [
    ("market_services", ["energy", "capacity", "demand_response"], "codes", _BILATERAL, False),
    ("participation_models", {"bilateral": "Bilateral programme of the balancing authority"}, "codes and names", _BILATERAL, False),
    ("min_aggregation_kw", "none", "kW", _BILATERAL + "; Order 2222 binds RTOs and ISOs only", False),
    ("location_scope", "any", "scope", _BILATERAL, False),
]

_EVERYWHERE = [
    ("market_services", WHOLESALE, "codes", "Platform default: the services of the shipped catalogue", False),
    (
        "retail_conflicts",
        {
            "bars_wholesale": [*WHOLESALE],
            "capacity_tag_reduction": ["capacity"],
        },
        "codes",
        "FERC Order 2222 ¶296 (a program whose regulator's terms bar participation), ¶160 (the same peak avoided twice)",
        False,
    ),
    ("dr_opt_out", False, "boolean", "18 CFR 35.28(g)(1)(iii): each regulator decides; none has by default", False),
    ("small_utility_opt_in", False, "boolean", "18 CFR 35.28(g)(1)(iii): barred unless the regulator allows", False),
]

PACKS = {
    "": _EVERYWHERE,
    "pjm": _PJM,
    "nyiso": _NYISO,
    "caiso": _CAISO,
    "iso-ne": _ISO_NE,
    "miso": _MISO,
    "spp": _SPP,
    "balancing-authority": _BALANCING,
}
ROWS = [(key, authority, *rest) for authority, rows in PACKS.items() for key, *rest in rows]
