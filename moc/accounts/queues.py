"""What accounts add to the home page: admissions and administrators to decide, and an applicant's own admission."""

from django.urls import reverse

from moc.access import policy
from moc.accounts import admissions, services
from moc.accounts.models import Admission
from moc.portal.queues import Work, queue

NEEDS = ("uuid", "organization__name")


def _admission(row: dict) -> tuple[str, str]:
    return row["organization__name"], reverse("admission_detail", args=[row["uuid"]])


@queue
def to_admit(user) -> Work | None:
    """New aggregators that wait."""
    if not policy.reach(user, admissions.PERMISSION):
        return None
    rows = Admission.objects.visible_to(user, admissions.PERMISSION).filter(status=Admission.Status.PENDING)
    hint = "They can do nothing until then."
    return Work("Aggregators to admit", reverse("admission_list"), rows, hint, 30, needs=NEEDS, item=_admission, entry="home")


@queue
def to_confirm(user) -> Work | None:
    """Administrators who wait for a second person."""
    if not policy.reach(user, services.PERMISSION):
        return None
    url, needs = reverse("grants"), ("member__email", "organization__name")
    rows, hint = services.grants_waiting_for(user), "A second person confirms."
    return Work("Administrators to confirm", url, rows, hint, 40, "", needs, lambda row: (" at ".join(map(row.get, needs)), url), "home")


@queue
def own_admission(user) -> Work | None:
    """The applicant's own; nobody else's queue."""
    if policy.holds_anything(user):
        return None
    rows = Admission.objects.filter(user=user, status=Admission.Status.PENDING)
    label, hint = "Your organisation waits for admission", "You are told when it is decided."
    return Work(label, reverse("admission_list"), rows, hint, 5, needs=NEEDS, item=_admission)
