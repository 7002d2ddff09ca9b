"""The closed lists of a utility's decision: its kinds, the grounds of a denial, and whose word it is."""

from django.db import models


class DecisionKind(models.TextChoices):
    """What a decision does with its rows."""

    APPROVE = "approve", "Approve"
    APPROVE_LIMITED = "approve_limited", "Approve with limits"
    REQUEST_INFO = "request_info", "Request information"
    DENY = "deny", "Deny"
    DEEMED = "deemed", "Deemed approved"
    NOTICE = "notice", "Taken note of"


class DenialReason(models.TextChoices):
    """The closed list of grounds for a denial (¶292, ¶296, ¶297): criteria must be non-discriminatory."""

    R1 = "dup_program_prohibited", "R1 The retail program bars wholesale participation (¶296)"
    R2 = "reliability_incremental", "R2 Incremental reliability or safety impact, not studied at interconnection (¶297)"
    R3 = "not_capable", "R3 Not capable of participating in an aggregation (¶292)"
    R4 = "small_utility_no_opt_in", "R4 Small utility without its regulator's opt-in"
    R5 = "dr_opt_out", "R5 The regulator opted out of demand response aggregation"
    R6 = "data_mismatch", "R6 The facts do not match the utility's records"
    R7 = "no_interconnection_agreement", "R7 No interconnection agreement"


class Basis(models.TextChoices):
    """Whose word it is: the utility's own, or what ended a dispute over it (¶299)."""

    REVIEW = "review", "The utility's review"
    SETTLEMENT = "settlement", "Settlement of a dispute"
    DETERMINATION = "determination", "Determination of a dispute"
