"""What the state machine does about reviews: the utility decides, strangers may not, and what a decision makes effective. ¶292, ¶297."""

from dataclasses import replace

from django.db import transaction
from hypothesis import strategies
from hypothesis.stateful import precondition, rule

from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from registry.ders.models import Der, DerTenure
from registry.grid.models import ServicePoint
from registry.submissions.models import StagedDer, UtilityReview
from registry.submissions.services import bulk_decisions, reviewing, switches
from tests.factories.filings import upload
from tests.registry.submissions.machine_model import BEGAN, Known, Pending, named

STRANGERS = ("edc2", "tso", "rerra", "operator", "aggregator", "aggregator2")  # to a utility's acts
mostly_the_utility = strategies.sampled_from((None,) * 12 + STRANGERS)  # else little of what was filed would take effect
verdicts = strategies.sampled_from(("", "approve", "approve", "approve", "approve", "deny"))  # the utility's, at once or later


class Deciding:
    """Rules of a machine with `world`, `known`, `pending`, `effects`, `validations`, `pools`, `kept` and `done`."""

    @precondition(lambda self: self.pending)
    @rule(pick=strategies.integers(0, 9), approve=strategies.booleans(), stranger=mostly_the_utility)
    def decide(self, pick, approve, stranger):
        """The utility decides one of its reviews; strangers may not, and what has become illegal meanwhile is refused."""
        self.settle(sorted(self.pending)[pick % len(self.pending)], approve, stranger)

    def wait(self, submission, pending: Pending, at_once: str = ""):
        """A review has begun; the utility may decide it at once, and the former holder of a switch agrees to it before."""
        self.count += 1
        review = submission.reviews.get()
        self.pending[review.pk] = replace(pending, filed_at=self.count)
        if not at_once:
            return
        if not pending.heard:
            notice = review.switch_notices.get()
            switches.answer(actor=self.administrator(notice.former.slug), notice=notice, name="agree")
            self.pending[review.pk] = replace(self.pending[review.pk], heard=True)
        self.settle(review.pk, at_once == "approve")

    def settle(self, pk: int, approve: bool, stranger: str | None = None):
        waiting, review = self.pending[pk], UtilityReview.objects.get(pk=pk)
        legal = not stranger and (not approve or self.approvable(waiting))
        try:
            with transaction.atomic():
                self.say(self.administrator(stranger) if stranger else self.reviewer, review, approve)
        except (NotPermitted, UserError):
            assert not legal, f"{waiting} was refused"
            return
        assert legal, f"{waiting} went through"
        del self.pending[pk]
        if approve:
            self.done(waiting.kind)
            self.take_effect(waiting, review)
        else:
            self.done("denied")

    def say(self, actor, review, approve: bool):
        rows = StagedDer.objects.filter(submission=review.submission_id)
        if approve:
            reviewing.decide(actor=actor, review=review, rows=rows, kind="approve", statement="In order")
            return
        terms = {"kind": "deny", "statement": "Not as known", "reason_code": "data_mismatch"}
        study = upload(b"%PDF-1.4 study", "study.pdf")
        selection = {"rows": [rows.get().row_number]}
        outcome = bulk_decisions.decide_selection(
            actor=actor, review=review, selection=selection, rows_of=lambda chosen: rows, terms=terms, evidence_upload=study
        )
        reviewing.confirm_denial(actor=self.world.user("edc", "approver"), decision=outcome.decisions[0])

    def approvable(self, waiting: Pending) -> bool:
        if waiting.kind == "register":
            return True
        now = self.known[waiting.der]
        if waiting.kind == "switch":
            return waiting.heard and not now.began_today and now.status != "decommissioned" and now.holder != waiting.filer
        if waiting.kind in ("add", "drop"):
            return now.holder == waiting.filer
        return now.holder == waiting.filer and self.effects.get(waiting.der, 0) < waiting.filed_at

    def take_effect(self, waiting: Pending, review: UtilityReview):
        if waiting.kind == "register":
            self.begin(waiting)
            return
        now, after = self.known[waiting.der], waiting.after
        if waiting.kind == "switch":
            self.known[waiting.der] = replace(now, holder=waiting.filer, began_today=True, member=False, consent="")
        elif waiting.kind == "add":  # the RTO validates who joins
            self.validations[review.submission.validation.pk] = (waiting.der, waiting.filer)
        elif waiting.kind == "drop":
            self.known[waiting.der] = replace(now, member=False)
        elif waiting.kind == "retire":
            self.effective(waiting.der, replace(now, status="decommissioned", member=False))
        elif waiting.kind == "transfer":  # what the former owner kept is not the next one's
            self.effective(waiting.der, replace(now, reference=after.reference, consent=""))
            self.kept.pop(waiting.der, None)
        elif waiting.kind == "relocate":
            feeder = ServicePoint.objects.get(usage_point_id=named(after.point)).feeder.code
            self.effective(waiting.der, replace(now, point=after.point, feeder=feeder))
        else:
            self.effective(waiting.der, replace(now, meter=after.meter))

    def effective(self, n: int, now: Known):
        """A filing has changed the facts of a DER."""
        self.count += 1
        self.known[n], self.effects[n] = now, self.count

    def begin(self, waiting: Pending):
        """A DER is registered; its tenure began some days ago, as those of the others."""
        made = Der.objects.get(serial_no=f"SN-{waiting.der}")
        with acting(None, "system: tests"):
            DerTenure.objects.filter(der=made).update(valid_during=(BEGAN, None), is_first=False)
        self.keys[waiting.der] = made.pk
        self.known[waiting.der] = waiting.after
