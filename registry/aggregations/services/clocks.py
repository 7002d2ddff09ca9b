"""The clocks of an RTO's review of an aggregation; their days are rows of the law, by market."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from moc.intervals import business_days_after, end_of_day_after
from moc.rulesets.models import RuleSet
from registry.aggregations.models import Aggregation

STOPPED = {"due_at": None, "paused_at": None, "answer_due_at": None, "escalated_at": None}


def _days(key: str, aggregation: Aggregation):
    return RuleSet.objects.value_of(key, timezone.localdate(), aggregation.tso.slug)


def started(aggregation: Aggregation) -> dict:
    """The review begins: values to set. One without an RTO has no clock."""
    now = timezone.now()
    due = end_of_day_after(now, _days("validation_days", aggregation), settings.TIME_ZONE) if aggregation.tso_id else None
    return STOPPED | {"submitted_at": now, "due_at": due}


def asked(aggregation: Aggregation) -> dict:
    """The RTO waits for an answer, its clock stands only where a row of the law says so: values to set."""
    now = timezone.now()
    due = business_days_after(now, _days("info_response_business_days", aggregation), settings.TIME_ZONE)
    return {"answer_due_at": due, "paused_at": now if _days("info_request_pauses_clock", aggregation) else None}


def resumed(aggregation: Aggregation) -> dict:
    """The answer came, or its time is over: the clock is later by as long as it stood. Values to set."""
    later = timezone.now() - aggregation.paused_at if aggregation.paused_at else None
    return {"answer_due_at": None, "paused_at": None, "due_at": aggregation.due_at + later if later else aggregation.due_at}


def returned(aggregation: Aggregation) -> dict:
    """It went back as incomplete: the aggregator's clock runs, the RTO's begins anew when it comes again. Values to set."""
    due = end_of_day_after(timezone.now(), _days("resubmit_days", aggregation), settings.TIME_ZONE)
    return STOPPED | {"answer_due_at": due}


def complete_after(aggregation: Aggregation) -> datetime:
    """The moment after which an aggregation counts as complete, and is returned no more."""
    return business_days_after(aggregation.submitted_at, _days("completeness_business_days", aggregation), settings.TIME_ZONE)
