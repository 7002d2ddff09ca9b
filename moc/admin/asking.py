"""Records that a service makes: `Add` asks for one more, by a button or by a form, and leads to what was made."""

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpResponseRedirect
from django.urls import reverse

from moc.access import policy
from moc.errors import UserError


class Asking:
    """RecordAdmin's part for records that nobody writes: `ask(actor, **said)` is the service that has one made, for holders of
    `ask_permission`.

    `asked` is the button's label, `ask_words` say what happens; `ask_form` is the form of what is said, where something is.
    """

    ask_permission = ""
    asked = ""
    ask_words = ""
    ask_template = "admin/ask.html"

    def ask(self, actor, **said):
        """Call the service; returns the job."""
        raise NotImplementedError

    def ask_form(self, request) -> Form | None:
        """The form, with what was sent; none where a button is enough."""
        return None

    def only_looks(self, request) -> bool:
        """Whether what was sent asks to see beforehand what would be made."""
        return False

    def ask_context(self, request, form: Form | None) -> dict:
        """What the page needs beside the form."""
        return {}

    def said(self, form: Form) -> dict:
        """What the service takes of a valid form."""
        return form.cleaned_data

    def asked_for(self, made) -> tuple[str, str]:
        """(words, address) of what was made: a job."""
        return f"{made.title}: it is being done.", reverse(f"{self.admin_site.name}:moc_job_change", args=[made.pk])

    def has_add_permission(self, request) -> bool:
        return policy.allows(request.user, self.ask_permission) and self.moment(request) is None

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise Http404
        form = self.ask_form(request)
        if request.method == "POST" and not self.only_looks(request) and (form is None or form.is_valid()):
            try:
                made = self.ask(request.user, **(self.said(form) if form else {}))
            except UserError as refusal:
                messages.error(request, str(refusal))
                if form is None:
                    return HttpResponseRedirect(self.address("changelist"))
            else:
                words, address = self.asked_for(made)
                messages.success(request, words)
                return HttpResponseRedirect(address)
        context = {"asked": self.asked, "words": self.ask_words, "back": self.address("changelist"), "form": form}
        return self.render_page(request, self.ask_template, self.asked, None, context | self.ask_context(request, form))
