"""Pages of seals: open to everybody what was signed; for those who may, the buttons, verifications and proofs."""

import json
from pathlib import Path

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.generic import TemplateView, View

from moc import sight
from moc.access import policy
from moc.errors import UserError
from moc.portal import Column, Detail, List, Table
from moc.portal.streaming import streamed
from moc.seals import checker, keys, proofs, services
from moc.seals.models import Seal, Verification

SHOWN = 50


class Seals(TemplateView):
    """Everybody's page: the seals, the public keys, the checker, and since when nothing is sealed."""

    template_name = "seals/list.html"

    def get_context_data(self, **kwargs) -> dict:
        before = self.request.GET.get("before", "")
        with sight.engine():
            rows = Seal.objects.filter(number__lt=before) if before.isdecimal() and len(before) < 19 else Seal.objects.all()
            seals = list(rows.defer("statement")[: SHOWN + 1])
            last = Seal.objects.defer("statement").first()
        shown = {
            "title": "Seals",
            "seals": seals[:SHOWN],
            "older": seals[SHOWN - 1].number if len(seals) > SHOWN else None,
            "last": last,
            "keys": [(name, keys.in_text(key)) for name, key in keys.trusted().items()],
            "may_seal": policy.allows(self.request.user, "administer"),
            "may_verify": policy.allows(self.request.user, "verify_seals"),
            "may_read": policy.allows(self.request.user, "audit"),
        }
        return super().get_context_data(**shown | kwargs)


class OneSeal(TemplateView):
    """Everybody's page of one seal: its tables, roots and signature."""

    template_name = "seals/seal.html"

    def get_context_data(self, **kwargs) -> dict:
        seal = _seal(self.kwargs["number"])
        statement = json.loads(seal.statement)
        shown = {"title": str(seal), "seal": seal, "tables": sorted(statement["tables"].items()), "previous": statement["previous"]}
        return super().get_context_data(**shown | kwargs)


def _seal(number: int) -> Seal:
    with sight.engine():
        return get_object_or_404(Seal, number=min(number, 2**63 - 1))


class SealFile(View):
    """One seal as it is published, to keep elsewhere."""

    def get(self, request, number: int) -> HttpResponse:
        answer = JsonResponse(services.published(_seal(number)))
        answer["Content-Disposition"] = f'attachment; filename="seal-{number}.json"'
        return answer


class SealsFile(View):
    """All seals, oldest first, a line of JSON each."""

    def get(self, request) -> StreamingHttpResponse:
        with sight.engine():
            lines = streamed(request, _lines())
        return StreamingHttpResponse(
            lines, content_type="application/x-ndjson", headers={"Content-Disposition": 'attachment; filename="seals.ndjson"'}
        )


def _lines():
    for seal in Seal.objects.order_by("number").iterator(500):
        yield (json.dumps(services.published(seal)) + "\n").encode()


class Checker(View):
    """The program that checks a proof."""

    def get(self, request) -> FileResponse:
        return FileResponse(Path(checker.__file__).open("rb"), as_attachment=True, filename="check_proof.py", content_type="text/x-python")


class Ask(LoginRequiredMixin, View):
    """POST: have a seal made, or everything verified, in the background; then the job's page."""

    http_method_names = ["post"]
    permission, ask = "", None

    def post(self, request) -> HttpResponse:
        if not policy.allows(request.user, self.permission):
            raise Http404
        return HttpResponseRedirect(reverse("job_detail", args=[self.ask(actor=request.user).uuid]))


class SealNow(Ask):
    """A seal out of turn."""

    permission, ask = "administer", staticmethod(services.ask_seal)


class VerifyNow(Ask):
    """A verification."""

    permission, ask = "verify_seals", staticmethod(services.ask_verification)


class Audited(LoginRequiredMixin):
    """Only for those who may audit."""

    permission = "audit"

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        if request.user.is_authenticated and not policy.allows(request.user, self.permission):
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class Verifications(Audited, List):
    """What verifications found, newest first."""

    model = Verification
    title = "Verifications"
    noun = "verifications"
    parents = (("Seals", "seal_list"),)
    table = Table(
        caption="Verifications",
        url=lambda row: reverse("verification", args=[row["uuid"]]),
        needs=("uuid",),
        empty_title="Nothing was verified yet",
        columns=(
            Column("at", "When"),
            Column("asked_by__email", "By"),
            Column("last_seal_id", "Up to seal", numeric=True),
            Column("row_count", "Rows read", numeric=True),
            Column("unsealed", "Not sealed yet", numeric=True),
            Column("finding_count", "Findings", numeric=True),
        ),
    )


class OneVerification(Audited, Detail):
    """One verification with everything that it found."""

    model = Verification
    template_name = "seals/verification.html"
    parents = (("Seals", "seal_list"), ("Verifications", "verification_list"))
    related = ("last_seal", "asked_by")

    def facts(self) -> list:
        one = self.object
        last = one.last_seal
        since = f"written since {last.sealed_at:%Y-%m-%d %H:%M:%S} UTC" if last else "nothing was ever sealed"
        rows = [
            ("Made", one.at, "", ""),
            ("Asked by", one.asked_by, "", "") if one.asked_by else ("Asked by", "the system", "", ""),
            ("Up to", last, "", ""),
            ("Rows read", one.row_count, "", ""),
            ("Rows not sealed yet", one.unsealed, "", since),
            ("Findings", one.finding_count, "", "the first thousand are listed"),
        ]
        return [("", rows)]


class Proof(LoginRequiredMixin, View):
    """The proof of one version or record, as a file for the checker."""

    def get(self, request, table: str, row: int) -> HttpResponse:
        try:
            made = proofs.proof(actor=request.user, table=table, row=min(row, 2**63 - 1))
        except UserError as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse("seal_list"))
        if made is None:
            raise Http404
        answer = JsonResponse(made)
        answer["Content-Disposition"] = f'attachment; filename="proof-{table}-{row}.json"'
        return answer
