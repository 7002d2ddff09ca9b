"""What an owner finds on the home page: the way to the own page."""

from django.urls import reverse

from moc.access import policy
from moc.portal.queues import Work, queue
from registry.customers.models import OwnerAccount


@queue
def own_ders(user) -> Work | None:
    """An owner belongs to no organisation: the home page leads to the own one."""
    if policy.holds_anything(user):
        return None
    rows, url = OwnerAccount.objects.filter(user=user), reverse("registry:my")
    needs = ("edc__name",)
    hint = "What is registered, who sees it, your consents and what you keep for yourself."
    return Work("Your energy resources", url, rows, hint, 1, needs=needs, item=lambda row: (f"At {row['edc__name']}", url))
