"""What accounts add to the home page: admissions and administrators to decide, and an applicant's own admission."""

from django.urls import reverse

from moc.access import policy
from moc.accounts import admissions, services
from moc.accounts.models import Admission
from moc.portal.queues import Work, queue


@queue
def to_admit(user) -> Work | None:
    """New aggregators that wait."""
    if not policy.reach(user, admissions.PERMISSION):
        return None
    rows = Admission.objects.visible_to(user, admissions.PERMISSION).filter(status=Admission.Status.PENDING)
    return Work("Aggregators to admit", reverse("admission_list"), rows.count(), "They can do nothing until then.", order=30)


@queue
def to_confirm(user) -> Work | None:
    """Administrators who wait for a second person."""
    if not policy.reach(user, services.PERMISSION):
        return None
    return Work("Administrators to confirm", reverse("grants"), len(services.grants_for(user)), "A second person confirms.", order=40)


@queue
def own_admission(user) -> Work | None:
    """The applicant's own."""
    waits = Admission.objects.filter(user=user, status=Admission.Status.PENDING).first()
    url = reverse("admission_detail", args=[waits.uuid]) if waits else ""
    return Work("Your organisation waits for admission", url, 1, "You are told when it is decided.", order=5) if waits else None
