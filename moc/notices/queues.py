"""What the inbox adds to the navigation."""

from django.urls import reverse

from moc.notices.models import Notice
from moc.portal.queues import Work, queue


@queue
def unread(user) -> Work:
    """Notifications that the user has not acknowledged: events, not to-dos."""
    rows = Notice.objects.visible_to(user).filter(read_at__isnull=True)
    return Work("Notifications", f"{reverse('notice_list')}?unread=true", rows, order=90, entry="notice_list", apart=True)
