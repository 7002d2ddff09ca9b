"""The start page: what waits for the user, until when, by role; and apart from it what others did."""

from moc.notices.models import Notice
from moc.portal import Page
from moc.portal.queues import by_deadline, waiting_for

SHOWN = 5


class Home(Page):
    """The user's work queues; slices declare them in `queues.py`."""

    title = "Home"
    template_name = "home.html"

    def get_context_data(self, **kwargs) -> dict:
        user = self.request.user
        work = waiting_for(user)
        unread = Notice.objects.visible_to(user).filter(read_at__isnull=True)
        shown = {"work": work, "first": by_deadline(work), "unread": unread.values("uuid", "subject", "created_at")[:SHOWN]}
        return super().get_context_data(**shown | kwargs)
