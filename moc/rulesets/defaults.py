"""The rule set rows that the platform ships, each with its source; what is unverified says so. Loaded once, then edited in the admin."""

from moc.rulesets.packs import ROWS as PACK_ROWS

DESIGN = "Platform default; no authority prescribes it"

ATTESTATION = (
    "I attest, on behalf of the DER aggregator, that the facts filed are true and complete to the best of my knowledge; that "
    "each customer has consented to their filing; and that the participation of these distributed energy resources complies "
    "with the tariffs and operating procedures of the distribution utilities and with the rules and regulations of the "
    "relevant electric retail regulatory authorities."
)

AGREEMENT = (
    "MARKET PARTICIPATION AGREEMENT. The DER aggregator takes part in the markets of its transmission operators under their "
    "tariffs, keeps the list of its distributed energy resources and their data up to date, keeps performance data of each "
    "resource and gives them for audit, and follows instructions that the distribution utility gives for safe and reliable "
    "operation. ATTESTATION. The aggregator attests that its aggregations comply with the tariffs and operating procedures of "
    "the distribution utilities and with the rules and regulations of the relevant electric retail regulatory authorities. It "
    "does not attest that a utility or an authority has consented to its participation, and nothing here restricts its "
    "business model."
)

PRIVACY = "The 15/15 rule of state commissions (Illinois; California D.14-05-016 for non-residential); each regulator sets its own"

RETENTION = DESIGN + "; to be set by the regulator (for public utilities compare 18 CFR Part 125, which was not read for this)"

METER = DESIGN + ": what a meter of accuracy class 2 may err"

READBACK = DESIGN + ": half of the last digit but one of the tables of IEEE 1547-2018, which prescribes no tolerance of a read-back"

LOADS = DESIGN + ": a residential feeder with summer peak as one knows them; no load study was read"

CONTINUOUS = (
    "IEEE 1547-2018, tables 14 to 16: a DER of any abnormal category goes on at these voltages (from memory; they hold at the "
    "DER's point of connection, the feeder's head stands in for it)"
)

# Of these a change is a notice; every other field takes the utility's review
NOTICE_FIELDS = [
    "comms_endpoint",
    "comms_latency_s",
    "comms_protocol",
    "firmware",
    "owner_contact",
    "telemetry_interval_s",
    "telemetry_points",
]

# key, authority (slug of the RTO or regulator; empty: default), value, unit, source, verified
ROWS = [
    (
        "utility_review_days",
        "",
        60,
        "calendar days",
        "FERC Order 2222 ¶295: the review should not exceed 60 days (paragraph number from memory)",
        False,
    ),
    (
        "utility_review_days",
        "pjm",
        60,
        "calendar days",
        "PJM's summary of its 2022 compliance filing, ER22-962; final tariff text not read",
        False,
    ),
    ("utility_review_days", "nyiso", 60, "calendar days", "From memory; NYISO tariff not read", False),
    ("utility_review_days", "caiso", 30, "calendar days", "From memory; CAISO tariff not read", False),
    (
        "review_expiry_policy",
        "",
        "escalate",
        "escalate or deemed_approval",
        "Deemed approval is a policy of each RTO; default from memory",
        False,
    ),
    ("support_grant_days", "", 7, "days", DESIGN, False),
    ("info_request_pauses_clock", "", False, "boolean", DESIGN, False),
    ("completeness_business_days", "", 3, "business days", DESIGN + "; New York's interconnection analog is 10 business days", False),
    ("resubmit_days", "", 30, "calendar days", DESIGN, False),
    ("validation_days", "", 30, "calendar days", DESIGN + ": the RTO's own review, after the utilities'", False),
    ("info_response_business_days", "", 10, "business days", DESIGN, False),
    (
        "exit_review_days",
        "",
        10,
        "calendar days",
        "FERC Order 2222 ¶336: the review of an exiting DER may be abbreviated; the number is a platform default",
        False,
    ),
    ("intent_answer_days", "", 15, "calendar days", DESIGN + ": each party's answer to a notice of intent", False),
    ("switch_review_days", "", 30, "calendar days", DESIGN, False),
    ("switch_objection_days", "", 10, "calendar days", DESIGN, False),
    ("exit_expiry_policy", "", "deemed_approval", "escalate or deemed_approval", DESIGN, False),
    ("notice_only_fields", "", NOTICE_FIELDS, "columns", DESIGN + "; FERC Order 2222 ¶336 lets a review be abbreviated", False),
    (
        "change_review_scope",
        "",
        "changed_ders",
        "code",
        "FERC Order 2222 ¶336: no re-registration of the whole; which DERs a utility may look at is contested, so it may widen the scope",
        False,
    ),
    (
        "change_review_scope",
        "nyiso",
        "changed_ders",
        "code",
        "FERC told NYISO to allow review of any modification (law firm's report; tariff not read): the utility may widen the scope",
        False,
    ),
    (
        "member_change_validation",
        "",
        "notice",
        "notice or validates",
        "FERC Order 2222 ¶336: the list is updated without qualifying the whole anew; whether an RTO validates who joins is its tariff's",
        False,
    ),
    ("min_aggregation_kw", "", 100, "kW", "FERC Order 2222 ¶171: the minimum may not exceed 100 kW (paragraph number from memory)", False),
    ("min_der_kw", "nyiso", 10, "kW", "FERC, 187 FERC ¶61,022 (ER23-2040), as reported; tariff text not read", False),
    ("small_utility_mwh", "", 4_000_000, "MWh", "18 CFR 35.28(g)(1)(iii), as quoted in FERC NOI 174 ¶61,198", True),
    *(
        (f"retention_{edge}_days_{data_class}", "", days, "calendar days", RETENTION, False)
        for edge, data_class, days in (
            ("least", "uploads", 1095),
            ("least", "findings", 365),
            ("least", "staged_rows", 1095),
            ("least", "evidence", 2190),
            ("most", "uploads", 3650),
            ("most", "staged_rows", 3650),
        )
    ),
    ("online_days_identity", "", 730, "calendar days", DESIGN + ": the access log", False),
    ("online_days_telemetry", "", 460, "calendar days", DESIGN + ": readings may come 400 days late", False),
    ("anonymised_years_owners", "", 7, "years", RETENTION, False),
    ("anonymised_years_look_ups", "", 3, "years", RETENTION, False),
    ("anonymised_years_sign_ins", "", 2, "years", DESIGN + "; the access log itself stays as the rows kept_years_… say", False),
    ("kept_years_identity", "", 7, "years", DESIGN + "; NIST SP 800-63B drafts keep records of identities for 7 years and 6 months", False),
    ("kept_years_registry", "", "none", "years", DESIGN + ": history is kept for ever, so there is no period", True),
    ("kept_years_market", "", 7, "years", DESIGN, False),
    ("kept_years_telemetry", "", 6, "years", "ISO-NE Tariff III.6.4 (meter data, 6 years) as quoted; tariff text not read", False),
    (
        "dispute_open_business_days",
        "",
        10,
        "business days",
        "From memory of proposals; FERC Order 2222 ¶299 asks for dispute resolution in the utility's review and names no days",
        False,
    ),
    *(
        (
            key,
            "",
            value,
            unit,
            f"{DESIGN}; FERC Order 2222 ¶299 names no days, and the tariffs' own dispute procedures were not read",
            False,
        )
        for key, value, unit in (
            ("dispute_parties_days", 30, "calendar days"),
            ("dispute_rto_days", 60, "calendar days"),
            ("dispute_rerra_days", 90, "calendar days"),
            ("dispute_statement_business_days", 10, "business days"),
        )
    ),
    (
        "dispute_next_level",
        "",
        "rto",
        "rto or rerra",
        "FERC Order 2222 ¶299: the RTO's dispute resolution; matters of a distribution tariff belong to the regulator (platform default)",
        False,
    ),
    ("rerra_involvement", "", "none", "role", "FERC Order 2222 ¶322: involvement is voluntary, so off by default", True),
    ("public_least_customers", "", 15, "customers", PRIVACY, False),
    ("public_largest_share_percent", "", 15, "%", PRIVACY, False),
    ("rerra_comment_days", "", 10, "calendar days", DESIGN + ": what a regulator that takes part says within", False),
    ("rerra_questions", "", {}, "codes and questions", "FERC Order 2222 ¶322: none unless the regulator names them", True),
    ("certification_warning_days", "", [60, 15], "days ahead", DESIGN, False),
    (
        "participation_agreement",
        "",
        {"version": "2026-1", "text": AGREEMENT},
        "text",
        "FERC Order 2222 ¶352: agreement and attestation of compliance, not of authorization; the words are the platform's, to be replaced "
        "by each RTO's pro forma",
        False,
    ),
    (
        "registration_attestation",
        "",
        {"version": "2026-1", "text": ATTESTATION},
        "text",
        "FERC Order 2222 ¶352: attestation of compliance",
        True,
    ),
    *(
        (f"telemetry_{name}", "", value, unit, f"{DESIGN}; RTOs' telemetry manuals were not read", False)
        for name, value, unit in (
            ("ahead_s", 300, "seconds"),
            ("back_days", 400, "days"),
            ("over_percent", 20, "%"),
            ("transformer_over_percent", 200, "%"),
            ("stale_intervals", 3, "intervals"),
            ("interval_s", 300, "seconds"),
            ("from_kw", 100, "kW"),
            ("services", ["regulation", "spinning_reserve", "non_spinning_reserve"], "codes"),
            ("cadence_s", {"*": 300, "regulation": 4, "spinning_reserve": 60, "non_spinning_reserve": 60}, "seconds"),
            ("points", {"*": [], "storage": ["soc_percent"], "photovoltaic_storage": ["soc_percent"]}, "columns"),
            ("late_s", 600, "seconds"),
            ("sum_interval_s", 900, "seconds"),
            ("sum_tolerance_percent", 5, "%"),
        )
    ),
    ("reliability_tolerance_percent", "", 2, "%", METER, False),
    ("reliability_tolerance_kw", "", 0.2, "kW", METER, False),
    ("reliability_in_a_row", "", 3, "readings", DESIGN, False),
    ("reliability_poor_percent", "", 10, "%", f"{DESIGN}; RTOs' telemetry manuals were not read", False),
    ("reliability_least_pu", "", 0.88, "pu", CONTINUOUS, False),
    ("reliability_most_pu", "", 1.10, "pu", CONTINUOUS, False),
    ("readback_tolerance", "", 0.005, "per unit", READBACK, False),
    ("readback_tolerance_percent", "", 0.5, "%", READBACK, False),
    ("readback_tolerance_kw", "", 0.1, "kW", READBACK, False),
    ("readback_days", "", 30, "days", DESIGN, False),
    ("study_months_percent", "", [82, 79, 70, 62, 66, 85, 100, 98, 84, 66, 69, 80], "% of the greatest month", LOADS, False),
    ("study_spread_percent", "", 15, "%", LOADS, False),
    ("study_weather_percent", "", [30, 60, 85, 100], "% of a clear day", f"{DESIGN}: no record of the place's weather was read", False),
    ("study_latitude_deg", "", 40, "degrees north", "The middle of New Jersey; another state sets its own", False),
    *PACK_ROWS,
]
