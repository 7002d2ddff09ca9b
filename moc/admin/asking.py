"""Records that a job makes: `Add` asks for one more, and leads to the job's page."""

from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse

from moc.access import policy
from moc.errors import UserError


class Asking:
    """RecordAdmin's part for records that nobody writes: `ask(actor)` is the service that has one made, for holders of `ask_permission`.

    `asked` is the button's label, `ask_words` say what happens.
    """

    ask_permission = ""
    asked = ""
    ask_words = ""

    def ask(self, actor):
        """Call the service; returns the job."""
        raise NotImplementedError

    def has_add_permission(self, request) -> bool:
        return policy.allows(request.user, self.ask_permission)

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise Http404
        if request.method != "POST":
            context = {"asked": self.asked, "words": self.ask_words, "back": self.address("changelist")}
            return self.render_page(request, "admin/ask.html", self.asked, None, context)
        try:
            job = self.ask(request.user)
        except UserError as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(self.address("changelist"))
        messages.success(request, f"{job.title}: it is being done.")
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:moc_job_change", args=[job.pk]))
