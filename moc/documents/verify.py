"""The public page that checks a letter by its code: says kind, day and parties, and whether a file is that very copy. N7, N11."""

from django import forms
from django.conf import settings
from django.http import HttpResponse
from django.utils.cache import add_never_cache_headers
from django.views.generic import TemplateView

from moc.documents.letters import checked
from moc.middleware import client_address, refuse, seconds_to_wait

MOST = 10 * 2**20


class CodeForm(forms.Form):
    """A code, and a copy to compare."""

    code = forms.CharField(max_length=40, help_text="It stands at the end of the letter, like 0123-4567-89AB-CDEF.")
    file = forms.FileField(label="The file", required=False, help_text="Is it the very copy? It is compared, and not kept.")

    def clean_file(self):
        upload = self.cleaned_data["file"]
        if upload and upload.size > MOST:
            raise forms.ValidationError(f"A letter has less than {MOST // 2**20} MB.")
        return upload


class Verify(TemplateView):
    """Anybody checks a letter; a wrong code is the same answer as none."""

    template_name = "documents/verify.html"

    def post(self, request, *args, **kwargs) -> HttpResponse:
        amount = settings.MOC_CHECKS_PER_MINUTE
        wait = seconds_to_wait(f"verify:{client_address(request)}", amount, 60)
        if wait:
            said = f"At most {amount} letters are checked in a minute. Try again in {wait} s."
            return refuse(request, 429, "TOO_MANY_REQUESTS", "Too many requests", said, Retry_After=str(wait))
        form, shown = CodeForm(request.POST, request.FILES), {}
        if form.is_valid():
            upload = form.cleaned_data["file"]
            shown = {"found": checked(form.cleaned_data["code"], upload.read() if upload else None), "asked": True}
        response = self.render_to_response(self.get_context_data(form=form, **shown))
        add_never_cache_headers(response)
        return response

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"title": "Check a letter", "form": CodeForm()} | kwargs)
