"""What the inbox adds to the home page."""

from django.urls import reverse

from moc.notices.models import Notice
from moc.portal.queues import Work, queue

CAP = 1_000


@queue
def unread(user) -> Work:
    """Notices that the user has not opened, counted up to CAP."""
    count = Notice.objects.visible_to(user).filter(read_at__isnull=True).order_by()[:CAP].count()
    return Work("Unread notices", f"{reverse('notice_list')}?unread=true", count, "What others decided or asked.", order=90)
