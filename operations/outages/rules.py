"""Why an outage of a DER is refused, one by one; the good ones of the same batch stand where that is asked for."""

from moc.rules import reading

FORM = reading(
    "OUT-FORM", "The row has more values than there are columns.", remedy="Put a value that has commas in it between double quotes."
)
DER = reading(
    "OUT-DER",
    "No registered DER of yours has this id.",
    remedy="Send its id here, or your own id of it.",
    columns=("der",),
)
KIND = reading("OUT-KIND", "There is no such kind.", remedy="Write outage, or derate.", columns=("kind",))
CAUSE = reading("OUT-CAUSE", "There is no such cause.", remedy="Write planned, forced or curtailed.", columns=("cause",))
MOMENT = "Write it as 2026-11-22 14:30, or with an offset, as 2026-11-22T14:30:00-05:00."
START = reading("OUT-START", "When it begins is missing, or is no date and time.", remedy=MOMENT, columns=("starts_at",))
RETURN = reading("OUT-RETURN", "This is no date and time.", remedy=f"{MOMENT} Empty: not known.", columns=("expected_until",))
KW = reading(
    "OUT-KW", "What is still available is no power in kW.", remedy="Write a number from 0, below 1,000,000,000.", columns=("available_kw",)
)
REASON = reading("OUT-REASON", "The reason is missing, or too long.", remedy="Say why, in 1 to 300 characters.", columns=("reason",))
NOTIFIED = reading("OUT-NOTIFIED", "Who was told is too long.", remedy="Say it in up to 200 characters.", columns=("notified",))
TWICE = reading(
    "OUT-TWICE", "The DER is out already, or stands twice in the batch.", remedy="End the outage that is running first.", columns=("der",)
)
ORDER = reading(
    "OUT-ORDER",
    "It is expected back before it begins.",
    remedy="Give a later moment, or none where it is not known.",
    columns=("expected_until",),
)
LEFT = reading(
    "OUT-LEFT",
    "What is still available is not what the kind says.",
    remedy="A derate leaves less than the nameplate, and more than nothing; an outage leaves nothing.",
    columns=("available_kw",),
)
PAST = reading("OUT-PAST", "A planned outage begins in the past.", remedy="Tell a forced one, or a later moment.", columns=("starts_at",))
OLD = reading(  # what was out so long ago explains no reading that can still come
    "OUT-OLD",
    "It begins earlier than readings are taken.",
    remedy="Give a moment within as many days as the rule telemetry_back_days says.",
    columns=("starts_at",),
)
