"""What the state machine does in markets: aggregations are submitted, taken back, validated, denied, suspended and let in again; members
join and leave a registered one by filings, past the utility and the RTO. R4, R7, ¶130, ¶160, ¶236, ¶238, ¶336."""

from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from hypothesis import strategies
from hypothesis.stateful import invariant, precondition, rule

from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from registry.aggregations.models import Aggregation
from registry.aggregations.services import building, membership
from registry.prequalification import queues
from registry.prequalification.models import MarketDecision
from registry.prequalification.services import deciding, passes
from registry.submissions.membership import MemberValidation
from registry.submissions.services import members, validating
from tests.registry.submissions.machine_deciding import verdicts
from tests.registry.submissions.machine_model import HOLDERS, Pending

LEAST_KW, LEAST = 15, 2  # the market's minimum, and how many DERs of 7.6 kW reach it
OPEN, FILED = ("draft", "returned", "denied"), ("registered", "suspended")
AFTER = {"register": "registered", "deny": "denied", "suspend": "suspended", "reinstate": "registered"}
AFTER |= {"ask": "asked", "return_incomplete": "returned"}
parties = strategies.sampled_from(HOLDERS)
nobody_else = strategies.sampled_from((None,) * 12 + ("tso2", "edc", "rerra", "operator", *HOLDERS))
filers = strategies.sampled_from((None,) * 6 + HOLDERS)
moves, joining = strategies.sampled_from(("submit",) * 4 + ("withdraw",)), strategies.sampled_from(("add", "add", "drop"))
picks = strategies.integers(0, 9)
acts = strategies.sampled_from((*("register",) * 4, "deny", "deny", "suspend", "suspend", "reinstate", "ask", "return_incomplete"))


class MarketActs:
    """Rules of a machine with `aggregations`, `pools`, `validations`, `known`, `suspended`, `hand_in`, `wait`, `some` and `done`."""

    def pooled(self, party: str) -> list[int]:
        return [n for n, each in self.known.items() if each.member and each.holder == party]

    def broken(self, party: str) -> list[str]:
        """The market's rules that a party's aggregation breaks."""
        inside = [self.known[n] for n in self.pooled(party)]
        found = {"PQ-AGG-EMPTY": not inside, "PQ-AGG-SMALL": len(inside) < LEAST}
        found["PQ-AGG-MEMBERS"] = any(each.status != "active" for each in inside)
        return [code for code, fails in found.items() if fails]

    def moved(self, party: str, name: str, **facts):
        self.pools[party] = replace(self.pools[party], **facts)
        self.done(name)

    @rule(
        party=parties,
        stranger=strategies.sampled_from((None,) * 6 + HOLDERS),
        name=strategies.sampled_from(("submit",) * 4 + ("withdraw",)),
    )
    def submit_or_take_back(self, party, stranger, name):
        """An aggregation comes before its RTO, with members only, and goes back to its aggregator."""
        filer, status = stranger or party, self.pools[party].status
        may = status in OPEN and self.pooled(party) and party not in self.suspended
        legal = filer == party and (may if name == "submit" else status in ("submitted", "asked", "returned"))
        try:
            with transaction.atomic():
                building.move(actor=self.administrator(filer), aggregation=self.aggregations[party], name=name, reason="As meant")
        except (NotPermitted, UserError):
            assert not legal, f"{name} of {party} from {status} was refused"
            return
        assert legal, f"{name} of {party} from {status} by {filer} went through"
        self.moved(party, name, status="submitted" if name == "submit" else "draft")

    @precondition(lambda self: any(each.status != "draft" for each in self.pools.values()))
    @rule(party=parties, act=acts, stranger=nobody_else, days=strategies.sampled_from((0, 0, 1, 9, -1)))
    def judge(self, party, act, stranger, days):
        """The RTO decides as its rules say, and nobody else: what qualifies is registered with an id and a day, the rest by a rule not."""
        passes.qualify()  # the beat's
        status, broken = self.pools[party].status, self.broken(party)
        sources = {"deny": ("submitted", "asked"), "suspend": ("registered",), "reinstate": ("suspended",)}
        legal = not stranger and status in sources.get(act, ("submitted",))
        placed = {"market_id": f"R-{self.count}", "effective_on": timezone.localdate() + timedelta(days=days)}
        said = {"statement": "As found"}
        if act == "register":
            legal, said = legal and not broken and days >= 0, said | placed
        elif act == "reinstate":
            legal = legal and not broken
        elif act in ("deny", "suspend"):
            legal, said = legal and bool(broken), said | {"rule": broken[-1] if broken else "PQ-AGG-SMALL"}
        try:
            with transaction.atomic():
                verb, of = getattr(deciding, act), self.aggregations[party]
                verb(actor=self.administrator(stranger or "tso"), aggregation=of, **said)
        except (NotPermitted, UserError):
            assert not legal, f"{act} of {party}, {status}, breaking {broken}, was refused"
            return
        assert legal, f"{act} of {party}, {status}, breaking {broken}, went through"
        self.moved(party, f"RTO: {act}", status=AFTER[act], **(placed if act == "register" else {}))

    @precondition(lambda self: any(each.status == "asked" for each in self.pools.values()))
    @rule(party=parties)
    def reply(self, party):
        """Whom the RTO asked answers."""
        asked = next(each for each in HOLDERS if self.pools[each].status == "asked")
        question = MarketDecision.objects.filter(aggregation=self.aggregations[asked], kind="ask").latest("pk")
        try:
            deciding.answer(actor=self.administrator(party), decision=question, text="So it is")
        except NotPermitted:
            assert party != asked
            return
        assert party == asked
        self.moved(party, "answer", status="submitted")

    @precondition(lambda self: any(each.status in FILED for each in self.pools.values()))
    @rule(
        n=strategies.integers(0, 9),
        kind=strategies.sampled_from(("add", "add", "drop")),
        stranger=parties | strategies.none(),
        said=verdicts,
    )
    def file_members(self, n, kind, stranger, said):
        """A DER joins a registered aggregation or leaves it: its utility reviews that, nobody else's DER is touched."""
        n = self.some(n)
        now = self.known[n]
        party = stranger or now.holder
        may = now.member if kind == "drop" else not now.member and now.status != "decommissioned" and now.consent != "revoked"
        legal = may and now.holder == party and self.pools[party].status in FILED and party not in self.suspended
        named = {"ders": [str(self.only(n).get().uuid)], "terms": membership.Terms(services=("energy",)), "reason": "As meant"}
        try:
            with transaction.atomic():
                actor, of = self.administrator(party), self.aggregations[party]
                handed = self.hand_in(members.start(actor=actor, aggregation=of, kind=kind, **named), party)
        except UserError:
            assert not legal, f"{kind} of {n} by {party} was refused"
            return
        assert legal, f"{kind} of {n} by {party} went through"
        self.wait(handed, Pending(n, now, kind, party), said)

    @precondition(lambda self: self.validations)
    @rule(pick=picks, deny=strategies.booleans(), stranger=nobody_else)
    def validate_members(self, pick, deny, stranger):
        """The RTO lets in whom the utility approved, or denies by a rule that the aggregation would break."""
        passes.qualify()  # the beat's
        pk = sorted(self.validations)[pick % len(self.validations)]
        n, party = self.validations[pk]
        now, held, actor = self.known[n], MemberValidation.objects.get(pk=pk), self.administrator(stranger or "tso")
        may = now.holder == party and not now.member and now.status != "decommissioned" and now.consent != "revoked"
        before, self.known[n] = now, replace(now, member=True) if may else now
        good = may and not self.broken(party)
        self.known[n] = before
        legal = not stranger and good != deny
        try:
            with transaction.atomic(), acting(actor, "As found"):
                if deny:
                    broken = validating.would_break(held)
                    validating.deny(actor=actor, validation=held, rule=broken[0] if broken else "PQ-AGG-SMALL")
                else:
                    validating.validate(actor=actor, validation=held)
        except (NotPermitted, UserError):
            assert not legal, f"{n} joining {party} was refused"
            return
        assert legal, f"{n} joining {party} went through"
        del self.validations[pk]
        self.known[n] = now if deny else replace(now, member=True)
        self.done("members denied" if deny else "members validated")

    @invariant()
    def aggregations_stand_as_the_model_says(self):
        """What is registered has been validated by its RTO, with verdicts, id and day; drafts are their aggregator's alone."""
        rows = Aggregation.objects.values_list("pk", "status", "market_id", "effective_on")
        said = {self.aggregations[party].pk: (each.status, each.market_id, each.effective_on) for party, each in self.pools.items()}
        assert {pk: tuple(rest) for pk, *rest in rows} == said
        for decision in MarketDecision.objects.filter(kind="register"):
            assert decision.decided_by_id == self.administrator("tso").pk
            assert decision.verdicts and all(each["eligible"] for each in decision.verdicts.values())
        validated = MarketDecision.objects.filter(kind="register").values("aggregation")
        assert not Aggregation.objects.filter(status__in=FILED).exclude(pk__in=validated).exists()
        filed = {self.aggregations[party].pk for party, each in self.pools.items() if each.status != "draft"}
        waiting = {self.aggregations[party].pk for party, each in self.pools.items() if each.status == "submitted"}
        for party in ("tso", "edc", "rerra"):
            assert set(Aggregation.objects.visible_to(self.administrator(party)).values_list("pk", flat=True)) == filed, party
        assert set(queues.to_validate(self.administrator("tso")).rows.values_list("pk", flat=True)) == waiting
        for party in HOLDERS:
            assert Aggregation.objects.visible_to(self.administrator(party)).get() == self.aggregations[party]
        assert not Aggregation.objects.visible_to(self.administrator("tso2")).exists()
