"""What a submission does, and whose approval that takes: the two tables that an auditor reads (Order 2222 ¶336, ¶338).

Which fields are a notice only is the law's: RuleSet rows with the key NOTICE_FIELDS, by market; any other field takes the utility's review.
"""

from dataclasses import dataclass

from django.db import models

NOTICE_FIELDS, REVIEW_SCOPE = "notice_only_fields", "change_review_scope"
OWNER_CONTACT = "owner_contact"  # name, e-mail and telephone of the same account: which of them changed is sealed


class Kind(models.TextChoices):
    REGISTER = "register", "Registration"
    MODIFY = "modify", "Modification"
    TRANSFER = "transfer_owner", "Transfer to another owner"
    RELOCATE = "relocate", "Home sold: some stay, some leave"
    SUSPEND = "suspend", "Outage of record"
    REINSTATE = "reinstate", "Return to service"
    RETIRE = "retire", "Retirement"
    SWITCH = "switch", "Switch of aggregator"


@dataclass(frozen=True)
class Terms:
    """How a kind is approved: `clock` and `expiry` name the rule set rows of its review; `move` is the lifecycle's move of its DERs."""

    says: str
    approval: str
    clock: str = "utility_review_days"
    expiry: str = "review_expiry_policy"
    move: str = ""
    notice: bool = False


REVIEWED = "the utility reviews the changed DERs"
TERMS = {
    Kind.REGISTER: Terms("DERs are registered, or changed, by their facts", "the utility reviews each DER"),
    Kind.MODIFY: Terms("facts of registered DERs change", "by field: review or notice, as the table below says"),
    Kind.TRANSFER: Terms("a DER goes to another owner, who consents anew", REVIEWED),
    Kind.RELOCATE: Terms(
        "what stays in a sold home goes to the new owner, what leaves moves to another service point or retires", REVIEWED
    ),
    Kind.SUSPEND: Terms("a DER is out of service for a time", "a notice: effective at once", move="deactivate", notice=True),
    Kind.REINSTATE: Terms("a DER is in service again, unchanged", "a notice: effective at once", move="activate", notice=True),
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
    ),
}
