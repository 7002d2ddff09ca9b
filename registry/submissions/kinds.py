"""What a submission does, and whose approval that takes: the two tables that an auditor reads (Order 2222 ¶336, ¶338).

Which fields are a notice only is the law's: RuleSet rows with the key NOTICE_FIELDS, by market; any other field takes the utility's review.
"""

from dataclasses import dataclass

from django.db import models

NOTICE_FIELDS, REVIEW_SCOPE, MEMBER_VALIDATION = "notice_only_fields", "change_review_scope", "member_change_validation"
OWNER_CONTACT = "owner_contact"  # name, e-mail and telephone of the same account: which of them changed is sealed


class Kind(models.TextChoices):
    REGISTER = "register", "Registration"
    MODIFY = "modify", "Modification"
    TRANSFER = "transfer_owner", "Transfer to another owner"
    RELOCATE = "relocate", "Home sold: some stay, some leave"
    SUSPEND = "suspend", "Outage of record"
    REINSTATE = "reinstate", "Going into service"
    RETIRE = "retire", "Retirement"
    SWITCH = "switch", "Switch of aggregator"
    ADD = "add", "DERs join an aggregation"
    DROP = "drop", "DERs leave an aggregation"


MEMBERSHIP = (Kind.ADD, Kind.DROP)


@dataclass(frozen=True)
class Terms:
    """How a kind is approved: `clock` and `expiry` name the rule set rows of its review; `move` is the lifecycle's move of its DERs.

    A kind without `facts` files none: its rows name DERs as they are registered.
    """

    says: str
    approval: str
    clock: str = "utility_review_days"
    expiry: str = "review_expiry_policy"
    move: str = ""
    notice: bool = False
    facts: bool = True


REVIEWED = "the utility reviews the changed DERs"
TERMS = {
    Kind.REGISTER: Terms("DERs are registered, or changed, by their facts", "the utility reviews each DER"),
    Kind.MODIFY: Terms("facts of registered DERs change", "by field: review or notice, as the table below says"),
    Kind.TRANSFER: Terms("a DER goes to another owner, who consents anew", REVIEWED),
    Kind.RELOCATE: Terms(
        "what stays in a sold home goes to the new owner, what leaves moves to another service point or retires", REVIEWED
    ),
    Kind.SUSPEND: Terms("a DER is out of service for a time", "a notice: effective at once", move="deactivate", notice=True, facts=False),
    Kind.REINSTATE: Terms(
        "a DER goes into service, for the first time or again, as it is registered",
        "a notice: effective at once",
        move="activate",
        notice=True,
        facts=False,
    ),
    Kind.RETIRE: Terms(
        "a DER leaves for good",
        "the utility's abbreviated review; silence is approval",
        clock="exit_review_days",
        expiry="exit_expiry_policy",
    ),
    Kind.SWITCH: Terms(
        "a customer goes to another aggregator, who shows the authorisation",
        "the utility decides when the present aggregator was heard, or its window is over",
        clock="switch_review_days",
        facts=False,
    ),
    Kind.ADD: Terms(
        "registered DERs join a registered aggregation",
        "the utility reviews those that join; then the RTO, where its rule set says so",
        facts=False,
    ),
    Kind.DROP: Terms(
        "DERs leave a registered aggregation",
        "the utility's abbreviated review; silence is approval",
        clock="exit_review_days",
        expiry="exit_expiry_policy",
        facts=False,
    ),
}
