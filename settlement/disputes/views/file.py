"""The file of one dispute: its page, its parts with their files, proposals and determinations."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.documents.views import download
from moc.portal import Detail, Page, Transition
from registry.submissions.reports import last_day
from settlement.disputes import reports
from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.models import PARTIES, Dispute, DisputePart, Side
from settlement.disputes.services import determining, levels, parties, pleading, settling
from settlement.disputes.services.levels import TARGETS
from settlement.disputes.views.lists import DISPUTES

Kind = DisputePart.Kind
TO_FILE = ((Kind.EVIDENCE, "Add evidence"), (Kind.QUESTION, "Ask"), (Kind.MEETING, "Log a meeting"))


def moves_of(side: str | None, dispute: Dispute) -> set[str]:
    """The names of the moves that a side makes of a dispute as it stands."""
    known = {name for name, level in TARGETS.items() if (dispute.tso_id if level == Dispute.Level.RTO else dispute.rerra_id)}
    if side == Side.TSO:
        return known & {"refer"}
    if side in PARTIES:
        return (known - {"refer"}) | ({"withdraw"} if side == Side.AGGREGATOR else set())
    return set()


class DisputeDetail(Detail):
    """A dispute: where it stands, its clocks, what one can do, the file, proposals, determinations, the bundle."""

    model = Dispute
    template_name = "settlement/disputes/detail.html"
    transition_url = "settlement:dispute_transition"
    parents = DISPUTES
    related = ("aggregator", "edc", "tso", "rerra", "clock_rule", "review__submission", "row__submission")
    keeps_versions = True

    @cached_property
    def side(self) -> str | None:
        return parties.side_of(self.request.user, self.object) if isinstance(self.object, Dispute) and self.object.is_open else None

    def transitions(self) -> list[dict]:
        """Those of the user's side: an authority may only refer what is before it."""
        may = moves_of(self.side, self.object) if self.side else set()
        return [move for move in super().transitions() if move["name"] in may]

    def actions(self) -> list[tuple[str, str, bool]]:
        acts = [("Bundle", reverse("settlement:dispute_bundle", args=[self.object.uuid]), False)]
        if self.side is None:
            return acts
        to_file = [(label, self._filing(kind), False) for kind, label in TO_FILE]
        if self.side in PARTIES:
            proposal = ("Propose a settlement", reverse("settlement:proposal_new", args=[self.object.uuid]), False)
            mine = [("State your side", self._filing(Kind.STATEMENT), True)] if self.object.turn == self.side else []
            return [*mine, *to_file, proposal, *acts]
        draft = ("Draft a determination", reverse("settlement:determination_new", args=[self.object.uuid]), True)
        return [draft, *to_file, ("Note", self._filing(Kind.NOTE), False), *acts]

    def _filing(self, kind: str) -> str:
        return reverse("settlement:part_new", args=[self.object.uuid, kind])

    def facts(self) -> list:
        found = self.object
        clock = f"{found.clock_rule.value} {found.clock_rule.unit}, {'verified' if found.clock_rule.verified else 'not verified'}"
        names = {side: getattr(found, side) for side in Side.values}
        return [
            ("Parties", [(Side(side).label, name, None, "") for side, name in names.items() if name]),
            (
                "Clocks",
                [
                    ("Level", found.get_level_display(), None, ""),
                    ("Level ends", None if found.closed_at else last_day(found.due_at), None, clock),
                    ("Whose turn", names.get(found.turn), None, "to state its side"),
                    ("Until", last_day(found.turn_due_at), None, ""),
                    ("Opened", found.opened_at, None, ""),
                    ("Closed", found.closed_at, None, ""),
                ],
            ),
        ]

    def get_context_data(self, **kwargs) -> dict:
        found, user = self.object, self.request.user
        pk = found.pk if isinstance(found, Dispute) else found.id
        proposals = SettlementProposal.objects.visible_to(user).filter(dispute=pk)
        drafts = Determination.objects.visible_to(user).filter(dispute=pk).select_related("authority")
        shown = {
            "subject": self._subject(),
            "parts": reports.parts_of(pk, user) if not self.moment else [],
            "side": self.side,
            "proposals": proposals.select_related("dispute__aggregator", "dispute__edc") if not self.moment else [],
            "determinations": drafts if not self.moment else [],
        }
        return super().get_context_data(**shown | kwargs)

    def _subject(self) -> tuple[str, str]:
        """(what is disputed, its page)"""
        found = self.object
        if found.row_id and found.row is not None:
            row = found.row
            return f"DER {row.external_id}", reverse("registry:submission_row", args=[row.submission.uuid, row.row_number])
        if found.review_id and found.review is not None:
            return found.review.submission.title, reverse("registry:review_detail", args=[found.review.uuid])
        if found.override_id:
            override = found.override
            page = "registry:der_checklist" if override.der_id else "registry:aggregation_checklist"
            return str(override), reverse(page, args=[(override.der or override.aggregation).uuid])
        return found.title, ""


class DisputeTransition(Transition):
    """Take it to the RTO or the regulator, refer it, withdraw it."""

    model = Dispute
    detail_url = "settlement:dispute"

    def move(self, actor, obj: Dispute, name: str, reason: str) -> None:
        levels.move(actor=actor, dispute=obj, name=name, reason=reason)


class OfFile(Page):
    """Something in the file that the user may read, or 404."""

    def part(self) -> DisputePart:
        rows = DisputePart.objects.visible_to(self.request.user).select_related("author", "dispute")
        return get_object_or_404(rows, uuid=self.kwargs["uuid"])


class PartPage(OfFile):
    """One part of a file."""

    template_name = "settlement/disputes/part.html"

    @cached_property
    def found(self) -> DisputePart:
        return self.part()

    def get_title(self) -> str:
        return str(self.found)

    def get_context_data(self, **kwargs) -> dict:
        dispute = self.found.dispute
        page = reverse("settlement:dispute", args=[dispute.uuid])
        trail = [("Disputes", reverse("settlement:dispute_list")), (dispute.title, page), (self.get_title(), "")]
        return super().get_context_data(**{"part": self.found, "breadcrumbs": trail} | kwargs)


class PartFile(OfFile):
    """The file of a part."""

    def get(self, request, *args, **kwargs) -> HttpResponse:
        document = pleading.evidence_of(self.part())
        if document is None:
            raise Http404
        return download(request, document)


class OfEnding(Detail):
    """A proposal or a determination."""

    related = ("dispute__aggregator", "dispute__edc", "dispute__tso", "dispute__rerra")
    keeps_versions = False

    def breadcrumbs(self) -> list[tuple[str, str]]:
        dispute = self.object.dispute
        page = reverse("settlement:dispute", args=[dispute.uuid])
        return [("Disputes", reverse("settlement:dispute_list")), (dispute.title, page), (self.get_title(), "")]

    def limits(self) -> list[tuple]:
        found = self.object
        named = (("Export limit", found.export_limit_kw), ("Import limit", found.import_limit_kw))
        settings = [("Inverter settings", found.inverter_settings, None, "")] if found.inverter_settings else []
        return [(label, value, "kW", "") for label, value in named if value is not None] + settings


class ProposalDetail(OfEnding):
    """Terms of a settlement, and the answer to them."""

    model = SettlementProposal
    transition_url = "settlement:proposal_transition"

    def get_title(self) -> str:
        return f"Proposal of {self.object.dispute.organization(self.object.side)}"

    def transitions(self) -> list[dict]:
        """The other party answers, the own withdraws."""
        side = parties.side_of(self.request.user, self.object.dispute)
        may = {"withdraw"} if side == self.object.side else {"accept", "decline"}
        return [move for move in super().transitions() if move["name"] in may]

    def facts(self) -> list:
        found = self.object
        rows = [
            ("Effect", found.get_effect_display(), None, "on the disputed record"),
            *self.limits(),
            ("Terms", found.terms, None, ""),
            ("Proposed", found.proposed_at, None, ""),
            ("Answered", found.answered_at, None, ""),
        ]
        return [("Terms", rows)]


class ProposalTransition(Transition):
    """Agree, decline, withdraw."""

    model = SettlementProposal
    detail_url = "settlement:proposal"

    def move(self, actor, obj: SettlementProposal, name: str, reason: str) -> None:
        settling.move(actor=actor, proposal=obj, name=name, reason=reason)


class DeterminationDetail(OfEnding):
    """A determination, or the draft of one to those who decide."""

    model = Determination
    transition_url = "settlement:determination_transition"
    related = (*OfEnding.related, "authority")

    def get_title(self) -> str:
        return f"Determination by {self.object.authority}"

    def transitions(self) -> list[dict]:
        """One's own draft is another's to confirm."""
        own = self.object.proposed_by_id == self.request.user.pk
        return [
            move
            for move in super().transitions()
            if policy.allows(self.request.user, determining.DETERMINE, self.object.authority) and not (own and move["name"] == "confirm")
        ]

    def actions(self) -> list[tuple[str, str, bool]]:
        if self.object.status != Determination.Status.EFFECTIVE:
            return []
        return [("Letter (PDF)", reverse("settlement:determination_letter", args=[self.object.uuid]), True)]

    def facts(self) -> list:
        found = self.object
        rows = [
            ("Outcome", found.get_outcome_display(), None, ""),
            *self.limits(),
            ("Reasons", found.reasons, None, ""),
            ("Drafted", found.proposed_at, None, ""),
            ("Confirmed", found.confirmed_at, None, "by a second person"),
            ("Code of the letter", found.code, None, ""),
            ("Hash of the letter (SHA-256)", found.document_sha256, None, "sealed with this record"),
        ]
        return [("Determination", rows)]


class DeterminationTransition(Transition):
    """Confirm, or do not."""

    model = Determination
    detail_url = "settlement:determination"

    def move(self, actor, obj: Determination, name: str, reason: str) -> None:
        determining.move(actor=actor, determination=obj, name=name, reason=reason)


class DeterminationLetter(Page):
    """The determination as it was printed once, sealed."""

    def get(self, request, *args, **kwargs) -> HttpResponse:
        rows = Determination.objects.visible_to(request.user)
        document = determining.letter_of(get_object_or_404(rows, uuid=kwargs["uuid"]))
        if document is None:
            raise Http404
        return download(request, document)
