"""Why a reading is refused, one by one; the good ones of the same batch stand."""

from moc.rules import reading

FORM = reading(
    "TEL-FORM",
    "The row is no reading.",
    remedy="Send at, p_kw and what was measured: a DER or one other subject; and no column that does not belong to it.",
)
TIME = reading("TEL-TIME", "A time is missing, or has no offset.", remedy="Write it as 2026-07-01T12:00:00Z, or with another offset.")
NUMBER = reading("TEL-NUMBER", "A quantity is no finite number.", remedy="Send numbers, and leave out what is not known; p_kw is owed.")
UNIT = reading("TEL-UNIT", "The unit is not the one that is read.", remedy="Send kW, kvar and percent; leave the unit out or say kW.")
CHOICE = reading("TEL-CHOICE", "A source, quality or operating state is not known.", remedy="Use a value of the API's description.")
DER = reading("TEL-DER", "No active DER of yours has this id.", remedy="Send the id of a DER that is yours, or on your grid.")
SUBJECT = reading(
    "TEL-SUBJECT",
    "No aggregation, feeder, transformer or T-D interface for which you send has this name.",
    remedy="Send an aggregation's id, or a code with the utility's slug in edc where several utilities have it.",
)
FUTURE = reading("TEL-FUTURE", "The reading is of the future.", remedy="Set the clock; what is let pass is the rule telemetry_ahead_s.")
OLD = reading(
    "TEL-OLD",
    "The reading is older than telemetry is taken.",
    remedy="Telemetry is taken for as many days as the rule telemetry_back_days says.",
)
PUBLISHED = reading(
    "TEL-PUBLISHED", "The publication is before the moment, or in the future.", remedy="Leave it out, or say when it was published."
)
RANGE = reading(
    "TEL-RANGE",
    "A quantity is beyond what the DER or the transformer can do.",
    remedy="Powers may exceed nameplate and charge by telemetry_over_percent and 1 kW, a transformer its rating by "
    "telemetry_transformer_over_percent; a charge lies between 0 and 100 %, a voltage between 0 and 2 pu.",
)
CHANGED = reading(
    "TEL-CHANGED",
    "Another reading is there of this subject, moment and publication.",
    remedy="Give a correction its own published_at; both are kept.",
)
