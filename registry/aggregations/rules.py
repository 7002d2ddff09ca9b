"""Rules on changes of members: each is one condition over the typed rows of the change (sql/member_findings.sql, sql/drop_findings.sql)."""

from moc.rules import reading

DER = reading(
    "MEMBER-DER",
    "The aggregator has no such DER.",
    remedy="Give its DER id or your own id of it, as registered.",
    columns=("der",),
)
GONE = reading("MEMBER-GONE", "The DER is decommissioned.", remedy="Leave it out.", columns=("der",))
SERVICE = reading(
    "MEMBER-SERVICE",
    "The aggregation does not seek this service.",
    remedy="Give one that it seeks, or leave the cell empty for all of them.",
    columns=("service",),
)
SHARE = reading(
    "MEMBER-SHARE",
    "The share of capacity is not a number above 0 and at most 100.",
    remedy="Give percent, or leave the cell empty for the whole.",
    columns=("share_percent",),
)
DAY = reading("MEMBER-DAY", "This is not a day.", remedy="Write the day as 2027-06-01.", columns=("from",))
PERIOD = reading(
    "MEMBER-PERIOD",
    "The membership would end before it starts.",
    remedy="“Until” is the first day on which the DER is no longer a member.",
    columns=("until", "from"),
)
PAST = reading(
    "MEMBER-PAST",
    "The aggregation was filed: its members of past days stay.",
    remedy="Give today or a later day.",
    columns=("from",),
    cites="Order 2222 ¶238",
)
DUPLICATE = reading(
    "MEMBER-DUPLICATE", "An earlier row is about the same DER and service.", remedy="Keep one of the rows.", columns=("der",)
)
ALREADY = reading(
    "MEMBER-ALREADY",
    "The DER is a member for this service on some of these days.",
    remedy="Leave it out, or drop it first.",
    columns=("der",),
)
TAKEN = reading(
    "MEMBER-TAKEN",
    "The DER offers this service in another wholesale aggregation on some of these days.",
    remedy="Drop it there first, or start here when it has left.",
    columns=("der",),
    cites="Order 2222 ¶159, ¶160",
)
CONSENT = reading(
    "MEMBER-CONSENT",
    "The owner has revoked the consent to offer this DER in markets, or it has expired.",
    remedy="Ask the owner for another consent, or leave the DER out.",
    columns=("der",),
)
ABSENT = reading(
    "MEMBER-ABSENT",
    "The DER is not a member on that day or later.",
    remedy="Check the id, the service and the day.",
    columns=("der",),
)
TOO_MANY_CELLS = reading(
    "MEMBER-TOO-MANY-CELLS", "The row has more cells than the header.", remedy="Quote cells that contain the delimiter."
)
TOO_FEW_CELLS = reading("MEMBER-TOO-FEW-CELLS", "The row has fewer cells than the header.", remedy="Add the missing cells.")
