"""The table an auditor reads: which role of which kind of organisation holds which permissions, in its own and overseen organisations."""

PERMISSIONS = {
    "view_registry": "see the registry's records",
    "view_personal": "see owners, contacts and account numbers",
    "erase_personal": "erase a customer for good",
    "file_ders": "file registrations of DERs",
    "submit_ders": "attest and submit registrations to the utility",
    "review_ders": "decide DERs under utility review and ask for information",
    "replace_evidence": "bring newer versions of the organisation's evidence",
    "validate_aggregations": "validate aggregations against the RTO's rules, or deny them",
    "confirm_denials": "confirm a denial that another person proposed",
    "manage_tenures": "end an aggregator's tenure of DERs, and begin another's",
    "manage_grid": "load and change grid records",
    "manage_utility": "set the utility's own review rules, letters and retention",
    "take_out": "take the organisation's whole part out as files",
    "manage_rulesets": "change the law's numbers",
    "set_law": "draft a change of an authority's own rules, and put another person's draft in force",
    "override_qualification": "qualify or bar a DER or an aggregation against the rules, with a reason",
    "manage_members": "administer the organisation's users and roles",
    "audit": "read every version and who wrote it",
    "verify_seals": "have all sealed history verified",
    "export": "export lists",
    "run_reports": "build, save, schedule and run reports",
    "administer": "administer the platform",
    "admit_aggregators": "admit new aggregators to the platform, and register them",
    "register_aggregator": "write the aggregator's registration and sign its agreement",
    "suspend_aggregators": "keep an aggregator from filing, with a reason, and reinstate it",
    "pursue_disputes": "bring and answer disputes, and settle them",
    "hear_disputes": "hear disputes that are before the organisation, and draft determinations",
    "determine_disputes": "confirm determinations that another person drafted",
}

_SEE = {"view_registry", "export", "run_reports"}
_AUDIT = _SEE | {"audit"}

ROLES: dict[str, dict[str, set[str]]] = {
    "aggregator": {
        "viewer": _SEE,
        "filer": _SEE | {"view_personal", "file_ders", "replace_evidence"},
        "approver": _SEE | {"view_personal", "file_ders", "submit_ders", "pursue_disputes", "replace_evidence"},
        "auditor": _AUDIT,
        "administrator": _AUDIT
        | {"view_personal", "file_ders", "submit_ders", "manage_members", "register_aggregator", "take_out", "pursue_disputes"}
        | {"replace_evidence"},
    },
    "edc": {
        "viewer": _SEE,
        "reviewer": _SEE | {"view_personal", "review_ders", "replace_evidence"},
        "approver": _SEE
        | {"view_personal", "review_ders", "confirm_denials", "manage_tenures", "override_qualification", "pursue_disputes"}
        | {"replace_evidence"},
        "auditor": _AUDIT,
        "administrator": _AUDIT
        | {"view_personal", "erase_personal", "review_ders", "confirm_denials"}
        | {"manage_grid", "manage_members", "manage_tenures", "manage_utility", "take_out", "override_qualification"}
        | {"suspend_aggregators", "pursue_disputes", "replace_evidence"},
    },
    "tso": {
        "viewer": _SEE,
        "auditor": _AUDIT | {"hear_disputes"},
        "administrator": _AUDIT
        | {"manage_members", "validate_aggregations", "set_law", "suspend_aggregators", "hear_disputes", "determine_disputes"}
        | {"replace_evidence"},
    },
    "rerra": {
        "viewer": _SEE,
        "auditor": _AUDIT | {"verify_seals", "hear_disputes"},
        "administrator": _AUDIT
        | {"hear_disputes", "determine_disputes"}
        | {"manage_members", "admit_aggregators", "set_law", "override_qualification", "suspend_aggregators", "verify_seals"}
        | {"replace_evidence"},
    },
    "operator": {
        "viewer": _SEE,
        "auditor": _AUDIT | {"verify_seals"},
        "administrator": _AUDIT
        | {"manage_members", "manage_rulesets", "manage_grid", "administer", "admit_aggregators", "set_law", "verify_seals"},
    },
}


# Roles whose holders sign in with a second factor (NIST SP 800-63B-4, AAL2)
SECOND_FACTOR = frozenset({"reviewer", "approver", "auditor", "administrator"})

# What a role gives in the organisations that its own oversees: seeing, never doing.
OVERSIGHT = frozenset(_AUDIT - {"run_reports"})


# What the operator's staff see and administer on the platform itself; an organisation's records are not among it.
OPERATING = OVERSIGHT | {"administer", "admit_aggregators", "set_law", "verify_seals"}

# What an organisation's grant of support gives to the operator's staff, by its scope. Never what outlasts the grant (members, machine
# clients) and never a party's own word (attesting, confirming a denial).
SUPPORT: dict[str, set[str]] = {
    "view": {"view_registry", "audit"},
    "act": _AUDIT | {"view_personal", "file_ders", "review_ders", "manage_grid", "replace_evidence"},
}


def support_permissions(kind: str, scope: str, staff: set[str]) -> set[str]:
    """What a grant of support gives in an organisation of a kind to staff with these permissions; who does not administer only sees."""
    held = SUPPORT[scope] & set().union(*ROLES.get(kind, {}).values())
    return held if "administer" in staff else held & staff & OVERSIGHT


def permissions_of(kind: str, role: str) -> set[str]:
    """The permissions that a role gives in an organisation of a kind; empty for a role that the kind does not have."""
    return ROLES.get(kind, {}).get(role, set())


def roles_with(permission: str) -> list[tuple[str, str]]:
    """The (kind, role) pairs that give a permission."""
    return [(kind, role) for kind, roles in ROLES.items() for role, held in roles.items() if permission in held]
