"""What notices of intent add to each role's home page."""

from django.urls import reverse

from moc.access import policy
from moc.portal.queues import Work, queue
from registry.intents.models import IntentNotice

ENTRIES = {"review_ders": "registry:review_list", "file_ders": "registry:submission_list"}


def _work(user, permission: str, status: str, label: str, hint: str) -> Work | None:
    if not policy.reach(user, permission):
        return None
    rows = IntentNotice.objects.visible_to(user, permission).filter(status=status)
    return Work(label, reverse("registry:intent_list"), rows, hint, 18, "due_at", ("uuid", "title"), _notice, ENTRIES[permission])


def _notice(row: dict) -> tuple[str, str]:
    return row["title"], reverse("registry:intent", args=[row["uuid"]])


@queue
def to_answer(user) -> Work | None:
    """Notices that wait for the user's utility."""
    return _work(user, "review_ders", IntentNotice.Status.SENT, "Notices of intent to answer", "Say where each DER is, and whose account.")


@queue
def to_correct(user) -> Work | None:
    """Notices that came back to the aggregator."""
    return _work(
        user, "file_ders", IntentNotice.Status.ANSWERED, "Notices of intent that differ", "State anew what the utility knows otherwise."
    )
