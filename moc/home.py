"""The start page: what waits for the user, by role."""

from moc.portal import Page
from moc.portal.queues import waiting_for


class Home(Page):
    """The user's work queues; slices declare them in `queues.py`."""

    title = "Home"
    template_name = "home.html"

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"work": waiting_for(self.request.user)} | kwargs)
