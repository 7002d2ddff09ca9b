"""The owner of a filed row in full, and erasing a registered one."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.access.presence import Fresh
from moc.portal.changes import FormPage
from registry.ders.models import Der
from registry.participants.forms import EraseForm
from registry.participants.models import DerOwner
from registry.participants.views import Reveal
from registry.submissions.personal import StagedOwner
from registry.submissions.services import erasing
from registry.submissions.views.rows import OfRow


class RevealRowOwner(OfRow, Reveal):
    """The owner of a filed row."""

    def get_record(self) -> StagedOwner | None:
        return getattr(self.row, "owner", None)

    def back(self) -> str:
        return reverse("registry:submission_row", args=[self.kwargs["uuid"], self.kwargs["number"]])


class EraseOwner(Fresh, FormPage):
    """Erase the customer behind a DER, with all that was ever filed of the account."""

    title = "Erase the customer"
    lead = (
        "Name, account number, e-mail and telephone become unreadable for good: in the registry, in its history and in every filing "
        "of this account. The files in which it was filed are destroyed. The DER and its versions stay."
    )
    permission = "erase_personal"
    template_name = "portal/confirm.html"
    form_class = EraseForm
    submit_label = "Erase for good"
    success = "The customer was erased."

    @cached_property
    def der(self) -> Der:
        rows = Der.objects.visible_to(self.request.user).exclude(owner=None).select_related("owner__edc")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.der.owner.edc)

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        if request.user.is_authenticated and self.der.owner.erased_at:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def perform(self, form) -> DerOwner:
        erasing.erase_owner(actor=self.request.user, owner=self.der.owner, reason=form.cleaned_data["reason"])
        return self.der.owner

    def done_url(self, result: DerOwner) -> str:
        return reverse("registry:der_detail", args=[self.kwargs["uuid"]])

    def get_context_data(self, **kwargs) -> dict:
        cancel = reverse("registry:der_detail", args=[self.kwargs["uuid"]])
        return super().get_context_data(**{"danger": True, "message": self.lead, "cancel_url": cancel} | kwargs)
