"""A screen as it is looked at: its worst hours and what binds in them, by direction."""

from calendar import month_abbr

from operations.interconnection.reports import HOURS, LABELS, WORDS
from operations.screening.models import ReviewScreen

WORST = 8


def sides_of(screen: ReviewScreen) -> list[dict]:
    """Each direction that was asked for: what all ask at the most, the hours in which they get least, and what stops them there."""
    return [_side(name, screen.result[name]) for name in LABELS if name in screen.result]


def _side(name: str, said: dict) -> dict:
    short = sorted((share, column) for column, share in enumerate(said["share"]) if said["kind"][column])
    worst = [
        {
            "when": f"{month_abbr[column // HOURS + 1]} {column % HOURS:02}:00",
            "asked_kw": said["asked_kw"][column],
            "possible_kw": share * said["asked_kw"][column],
            "kind": WORDS[said["kind"][column]],
            "element": said["names"][said["element"][column]],
        }
        for share, column in short[:WORST]
    ]
    facts = {"label": LABELS[name], "most_kw": max(said["asked_kw"]), "hours": len(short), "worst": worst}
    return facts | {"unchecked": said["unchecked"], "alarms": said["alarms"]}
