"""Why an outage of a DER is refused, one by one; the good ones of the same batch stand where that is asked for."""

from moc.rules import reading

FORM = reading("OUT-FORM", "The row is no outage.", remedy="Send der, kind, cause, starts_at and reason, and no column that is not known.")
DER = reading("OUT-DER", "No registered DER of yours has this id.", remedy="Send the id of a DER that is yours.")
TWICE = reading("OUT-TWICE", "The DER is out already, or stands twice in the batch.", remedy="End the outage that is running first.")
ORDER = reading("OUT-ORDER", "It is expected back before it begins.", remedy="Give a later moment, or none where it is not known.")
LEFT = reading(
    "OUT-LEFT",
    "What is still available is not what the kind says.",
    remedy="A derate leaves less than the nameplate, and more than nothing; an outage leaves nothing.",
)
PAST = reading("OUT-PAST", "A planned outage begins in the past.", remedy="Tell a forced one, or a later moment.")
