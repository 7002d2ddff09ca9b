"""Create, Update and Transition: a page of the portal that changes something is a declaration on one of these.

Each calls a service, which checks the permission again; a refusal is shown, and nothing was changed.
"""

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import View

from moc.access import policy, presence
from moc.errors import UserError
from moc.lifecycle import TransitionRefused
from moc.portal.versions import FIELD, Held, version_of
from moc.portal.views import One, Page

REFUSALS = (UserError, TransitionRefused)


class FormPage(Page):
    """A form whose valid data goes to a service. `perform(form)` returns the result; a refusal is shown as an error of the form."""

    template_name = "portal/form.html"
    form_class = None
    submit_label = "Save"
    success = ""

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission)

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        if request.user.is_authenticated and not self.allowed():
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict:
        return {}

    @cached_property
    def form(self):
        bound = {"data": self.request.POST, "files": self.request.FILES} if self.request.method == "POST" else {}
        return self.form_class(**bound, **self.get_form_kwargs())

    def perform(self, form):
        raise NotImplementedError

    def carry_out(self):
        return self.perform(self.form)

    def done_url(self, result) -> str:
        raise NotImplementedError

    def post(self, request, *args, **kwargs) -> HttpResponse:
        if not self.form.is_valid():
            return self.render_to_response(self.get_context_data(), status=422)
        try:
            result = self.carry_out()
        except (*REFUSALS, ValidationError) as refusal:
            self.tell(refusal)
            return self.render_to_response(self.get_context_data(overtaken=getattr(refusal, "changes", ())), status=422)
        if self.success:
            messages.success(request, self.success)
        return HttpResponseRedirect(self.done_url(result))

    def tell(self, refusal: Exception) -> None:
        """Say a refusal on the form: at the field that it blames, where the form has it."""
        field = next((name for name in getattr(refusal, "fields", ()) if name in self.form.fields), None)
        if isinstance(refusal, ValidationError):
            self.form.add_error(None, refusal)
        else:
            self.form.add_error(field, refusal.at_field if field else str(refusal))

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"form": self.form, "submit_label": self.submit_label} | kwargs)


class Create(FormPage):
    """A form that makes something new."""


class End(Held, Create):
    """The end of one record, `ended`, which the page asks once more: meant for the version that the page showed."""

    @property
    def ended(self):
        """The record; None where there is nothing to end."""
        raise NotImplementedError

    def carry_out(self):
        with transaction.atomic():
            if self.ended is not None:
                self.require_opened(self.ended)
            return super().carry_out()

    def version(self) -> str:
        """The version that the page shows."""
        return version_of(self.ended) if self.ended is not None else ""

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{FIELD: self.version()} | kwargs)


class Update(Held, FormPage, One):
    """A form about one object, which must be in the scope of the permission that the change needs."""

    view_permission = "view_registry"

    def get_queryset(self):
        return self.model.objects.visible_to(self.request.user, self.view_permission)

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object)

    def carry_out(self):
        with transaction.atomic():
            self.require_opened(self.object)
            return super().carry_out()

    def get_context_data(self, **kwargs) -> dict:
        version = version_of(self.object) if self.versioned else ""
        return super().get_context_data(**{FIELD: version} | kwargs)


class Transition(Held, LoginRequiredMixin, View):
    """POST …/transitions/<name>/: one move of one object's lifecycle, by the model's service; then back to the object's page.

    `move(actor, object, name, reason)` calls the service, which checks the permission.
    """

    http_method_names = ["post"]
    model = None
    key = "uuid"
    view_permission = "view_registry"
    detail_url = ""

    def move(self, actor, obj, name: str, reason: str) -> None:
        raise NotImplementedError

    def post(self, request, *args, **kwargs) -> HttpResponse:
        rows = self.model.objects.visible_to(request.user, self.view_permission)
        obj = get_object_or_404(rows, **{self.key: kwargs[self.key]})
        transition = self.model.lifecycle.transitions.get(kwargs["name"])
        if transition is None or transition.permission is None:
            raise Http404
        reason = request.POST.get("reason", "").strip()
        if transition.needs_reason and not reason:
            messages.error(request, f"Say why: “{transition.title}” needs a reason. Nothing was changed.")
        else:
            if transition.sensitive:
                presence.demand(request)
            self._try(request, obj, transition, reason)
        return HttpResponseRedirect(reverse(self.detail_url, args=[kwargs[self.key]]))

    def _try(self, request, obj, transition, reason: str) -> None:
        try:
            with transaction.atomic():
                self.require_opened(obj)
                self.move(request.user, obj, transition.name, reason)
        except REFUSALS as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"Done: {transition.title}.")
