"""What a difference between registry and roster means: double compensation is not noticed otherwise."""

from moc.rules import reading

UNDECLARED = reading(
    "ROSTER-UNDECLARED",
    "The account is in a programme of the utility that the filing does not name.",
    remedy="Name the programme in retail_programs, or have the utility correct its roster.",
    columns=("retail_programs",),
    cites="Order 2222 ¶159, ¶160",
)
ABSENT = reading(
    "ROSTER-ABSENT",
    "The filing names a programme of the utility, but the account is not in it.",
    remedy="Take the programme out of retail_programs, or have the utility correct its roster.",
    columns=("retail_programs",),
    cites="Order 2222 ¶159, ¶160",
)
