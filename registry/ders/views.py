"""Pages of DERs: the list, the record with its timeline, the certificate; and the state's figures."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from moc.access import policy
from moc.documents.letters import print_letter
from moc.documents.models import Document
from moc.portal import Detail, List, Page, Sort
from moc.portal.changes import FormPage
from moc.portal.shell import url_of
from moc.units import counted
from registry.ders import reports, services
from registry.ders.filters import DerFilterSet
from registry.ders.forms import TenureForm, ThenForm
from registry.ders.models import Der
from registry.ders.tables import DER_EXPORT, DER_TABLE
from registry.participants.models import DerOwner
from registry.participants.views import Reveal

NEWEST = (Sort("-id", ("-id",)), Sort("id", ("id",)))
LARGEST = (Sort("-nameplate_ac_kw", ("-nameplate_ac_kw", "-id")), Sort("nameplate_ac_kw", ("nameplate_ac_kw", "id")))
PARTIES = ("aggregator", "edc", "feeder", "county", "service_point")


# what may be done with DERs: label, page, permission
LIST_ACTS = (
    ("File a change", "registry:submission_change", "file_ders"),
    ("Change tenures", "registry:der_tenure", "manage_tenures"),
)
RETIRE = ("Retire", "retire")
STATUS_ACTS = {
    Der.Status.APPROVED: (("Put into service", "reinstate"), RETIRE),
    Der.Status.ACTIVE: (("Take out of service", "suspend"), RETIRE),
    Der.Status.INACTIVE: (("Put into service", "reinstate"), RETIRE),
}
OWNER_ACTS = (
    ("Owner in full", "registry:der_owner", "view_personal"),
    ("Erase the customer", "registry:der_owner_erase", "erase_personal"),
)


class DerList(List):
    """Every DER within reach; newest first or by size. As of a past moment only newest first: history is not indexed by size."""

    model = Der
    title = "DERs"
    noun = "DERs"
    table = DER_TABLE
    filterset_class = DerFilterSet
    keeps_versions = True
    exports = (("CSV", "registry:der_csv"), ("XLSX", "registry:der_xlsx"))
    export_columns = DER_EXPORT
    export_name = "ders"

    @property
    def sorts(self) -> tuple[Sort, ...]:
        return NEWEST if self.moment else NEWEST + LARGEST

    def actions(self) -> list[tuple[str, str, bool]]:
        if self.moment or self.tenure:
            return []
        may = [act for act in LIST_ACTS if policy.allows(self.request.user, act[2])]
        return [(label, f"{reverse(name)}{self.address()}", False) for label, name, _ in may]


ABOUT_OWNER = (("Invite the owner", "registry:owner_invite", "view_personal"), ("Record a consent", "registry:consent_show", "file_ders"))


class DerDetail(Detail):
    """The record of one DER, now or as of a moment."""

    model = Der
    template_name = "registry/ders/detail.html"
    keeps_versions = True
    parents = (("DERs", "registry:der_list"),)
    related = PARTIES

    def get_title(self) -> str:
        return self.object.external_id

    def actions(self) -> list[tuple[str, str, bool]]:
        url = reverse("registry:der_certificate", args=[self.object.uuid])
        query = f"?{urlencode({'as_of': self.moment.isoformat()})}" if self.moment else ""
        return [("Certificate (PDF)", url + query, False), *(self._acts() if isinstance(self.object, Der) else [])]

    def _acts(self) -> list[tuple[str, str, bool]]:
        """What may be seen of and done with the record as it stands now: a former aggregator has a version only."""
        user, der = self.request.user, self.object
        acts = [("Ready for market", reverse("registry:der_checklist", args=[der.uuid]), False)]
        envelope = reports.envelope(der, user)
        if envelope:
            acts.append(("Operating envelope", url_of("operations:envelope", envelope), False))
            acts.append(("What envelopes held back", url_of("operations:envelope_outcomes", der=der.uuid), False))
        if der.inverter_settings and policy.allows(user, "file_ders", der.aggregator):
            acts.append(("Tell settings read back", url_of("operations:settings_readback_new", der=der.uuid), False))
        for label, name, permission in LIST_ACTS:
            if policy.allows(user, permission, der if permission == "manage_tenures" else der.aggregator):
                acts.append((label, f"{reverse(name)}?q={der.uuid}", False))
                acts += self._status_acts() if permission == "file_ders" else []
        if policy.allows(user, "file_ders", der.aggregator):
            acts.append(("Home sold", reverse("registry:der_sold", args=[der.uuid]), False))
        return [*acts, *self._owner_acts()]

    def _status_acts(self) -> list[tuple[str, str, bool]]:
        """Changes of the status, each a filing of its kind."""
        page = f"{reverse('registry:submission_change')}?q={self.object.uuid}&change="
        return [(label, page + kind, False) for label, kind in STATUS_ACTS.get(self.object.status, ())]

    def _owner_acts(self) -> list[tuple[str, str, bool]]:
        """What may be done with personal data, until they were erased."""
        owner = self.object.owner if self.object.owner_id else None
        if owner is None or owner.erased_at:
            return []
        may = [act for act in OWNER_ACTS if policy.allows(self.request.user, act[2], owner)]
        acts = [(label, reverse(name, args=[self.object.uuid]), False) for label, name, _ in may]
        further = [act for act in ABOUT_OWNER if policy.allows(self.request.user, act[2], owner)]
        return acts + [(label, url, False) for label, name, _ in further if (url := url_of(name, self.object.uuid))]

    def facts(self) -> list:
        return reports.facts(self.object, personal=policy.allows(self.request.user, "view_personal", self.object))

    def filings(self) -> list[dict]:
        """Filings of this DER with the decisions on them, and the evidence that the user may read."""
        rows = reports.filings(self.object, self.request.user)
        keys = {decision.evidence_id for _, decision in rows if decision and decision.evidence_id}
        readable = Document.objects.visible_to(self.request.user).in_bulk(keys) if keys else {}
        return [
            {
                "row": row,
                "decision": decision,
                "url": url_of("registry:submission_detail", row.submission.uuid),
                "evidence": readable.get(decision.evidence_id) if decision else None,
            }
            for row, decision in rows
        ]

    def _settings(self) -> dict:
        """What the utility issued, and what was read back to be in force: of the record as it stands now."""
        issued = isinstance(self.object, Der) and bool(self.object.inverter_settings)
        return {"issued": issued, "readback": reports.readback(self.object, self.request.user) if issued else None}

    def get_context_data(self, **kwargs) -> dict:
        shown = {"map": reports.place(self.object), "filings": self.filings()} | self._settings()
        return super().get_context_data(**shown | kwargs)


class RevealOwner(Reveal):
    """The owner of a DER in full."""

    def get_record(self) -> DerOwner | None:
        rows = Der.objects.visible_to(self.request.user).select_related("owner")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"]).owner

    def back(self) -> str:
        return reverse("registry:der_detail", args=[self.kwargs["uuid"]])


class ChangeTenure(FormPage):
    """End, begin or hand over the tenures of the DERs of a filtered list."""

    title = "Change tenures"
    permission = "manage_tenures"
    form_class = TenureForm
    submit_label = "Change the tenures"
    parents = (("DERs", "registry:der_list"),)

    @cached_property
    def ders(self):
        """The DERs of the list that the address names, as they are held now."""
        listed = DerList.for_user(self.request.user, self.request.GET.urlencode())
        if listed.moment or listed.tenure:
            raise Http404
        return listed.selected(self.permission)

    def get_form_kwargs(self) -> dict:
        return {"number": self.ders.order_by().count()}

    def get_context_data(self, **kwargs) -> dict:
        lead = f"{counted(self.form.found, 'DERs')} of the list as it was filtered. Each aggregator keeps seeing what was its own."
        return super().get_context_data(**{"lead": lead} | kwargs)

    def perform(self, form) -> int:
        said = {name: form.cleaned_data[name] for name in ("on", "reason")}
        verb, to = form.cleaned_data["verb"], {"aggregator": form.cleaned_data["aggregator"]}
        if verb == form.END:
            return services.end_tenure(actor=self.request.user, ders=self.ders, **said)
        service = services.begin_tenure if verb == form.BEGIN else services.hand_over
        return service(actor=self.request.user, ders=self.ders, **said, **to)

    def done_url(self, result: int) -> str:
        messages.success(self.request, f"The tenures of {counted(result, 'DERs')} were changed.")
        return reverse("registry:der_list")


class Certificate(Detail):
    """The registration certificate of a DER as PDF, now or as of a moment."""

    model = Der
    keeps_versions = True
    related = PARTIES

    def get(self, request, *args, **kwargs) -> HttpResponse:
        der = self.object
        moment = self.moment or self.held_until
        letter, logo = reports.letterhead(der, moment)
        context = {"der": der, "facts": reports.certified_facts(der), "moment": moment or timezone.now(), "letter": letter}
        parties = {"issuer": der.edc, "recipient": der.aggregator or der.edc, "given": {"logo": logo}}
        return print_letter(request, "certificate", "documents/certificate.html", context, f"certificate-{der.uuid}.pdf", **parties)


class State(Page):
    """Capacity by technology, utility, county and month over what the user may see; and one utility then and now."""

    title = "The state in figures"
    template_name = "state.html"

    def get_context_data(self, **kwargs) -> dict:
        if not policy.allows(self.request.user, "view_registry"):
            raise Http404
        user = self.request.user
        form = ThenForm(self.request.GET if "utility" in self.request.GET else None, user=user)
        compared = None
        if form.is_valid():
            compared = reports.then_and_now(user, form.cleaned_data["utility"], form.cleaned_data["day"])
        shown = reports.state(user) | {"form": form, "compared": compared, "then": form.is_valid() and form.cleaned_data["day"]}
        return super().get_context_data(**shown | kwargs)
