"""Random legal and illegal sequences by all parties against a simple model: R1, R3, R4, N2, N3, N5, N12, ¶238, ¶292, ¶336, ¶338.

Aggregators register, change, switch, retire, relocate and pool DERs, which go to other owners; owners consent and revoke; the utility
decides and re-switches feeders; the regulator suspends and reinstates; each tries what is another's to do. After each step: no overlap
and no gap of tenures, no member of two aggregations or of another's, no record without a review, every version attributable, and
everybody sees exactly what the model says, former holders too.
"""

from dataclasses import replace

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, strategies
from hypothesis import settings as profile
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from registry.aggregations.services import building, membership
from registry.aggregators.models import Suspension
from registry.aggregators.services import standing
from registry.catalogue import services as catalogue
from registry.ders.models import Der, DerTenure
from registry.grid.models import ServicePoint
from registry.reconfigurations.models import FormerConnection
from registry.reconfigurations.services import acts
from registry.submissions.models import StagedDer, UtilityReview
from registry.submissions.services import bulk_decisions, changes, filing, lookups, reviewing, switches
from tests.factories.filings import reviewed, row, run, store_in, table, upload
from tests.registry.submissions.machine_model import BEGAN, HOLDERS, Held, Known, Pending, named
from tests.registry.submissions.machine_owners import MOST, OwnersActs, mostly_the_utility, numbers, parties, strangers

pytestmark = pytest.mark.django_db
DERS, EXAMPLES, STEPS = 3, 10, 16


class Registry(Held, OwnersActs, RuleBasedStateMachine):
    """The registry, its parties, and the model that they are held against. Each run is rolled back.

    `effects` says when a filing last changed a DER's facts: what was filed before that would undo it, and is refused.
    """

    world, keys, feeders, aggregations = None, {}, {}, {}

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.keys = dict(type(self).keys)
        self.known = {n: Known(feeder=self.feeders[n], point=n, reference=f"C-{n}") for n in self.keys}
        self.suspended: set[str] = set()
        self.pending: dict[int, Pending] = {}
        self.effects: dict[int, int] = {}
        self.count = 0
        cache.clear()

    def teardown(self):
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @property
    def reviewer(self):
        return self.world.user("edc", "reviewer")

    def administrator(self, party: str):
        return self.world.user(party, "administrator")

    def some(self, n: int) -> int:
        """One of the registered DERs."""
        return sorted(self.known)[n % len(self.known)]

    def only(self, n: int):
        return Der.objects.filter(pk=self.keys[n])

    def hand_in(self, submission, filer: str):
        version, _, _ = filing.attestation()
        return filing.submit(actor=self.administrator(filer), submission=submission, attestation_version=version)

    def change(self, party: str, n: int, kind: str, legal: bool, **values):
        """File and hand in a change; an illegal one is refused, and nothing of it is a review. Returns the submission."""
        try:
            with transaction.atomic():
                given = {self.keys[n]: values} if values else None
                aggregator = self.world.organizations[party]
                draft = changes.start(
                    actor=self.administrator(party), aggregator=aggregator, kind=kind, ders=self.only(n), reason="As asked", values=given
                )
                handed = self.hand_in(draft, party)
        except UserError:
            assert not legal, f"{kind} of {n} by {party} was refused"
            return None
        assert legal, f"{kind} of {n} by {party} went through"
        return handed

    def wait(self, submission, pending: Pending):
        self.count += 1
        self.pending[submission.reviews.get().pk] = replace(pending, filed_at=self.count)

    def effective(self, n: int, now: Known):
        """A filing has changed the facts of a DER."""
        self.count += 1
        self.known[n], self.effects[n] = now, self.count

    def may_file(self, party: str, n: int) -> bool:
        """Facts are filed by who holds the DER and knows its owner: after a switch today nobody has filed one yet."""
        now = self.known[n]
        return now.holder == party and now.status != "decommissioned" and not now.began_today and party not in self.suspended

    @rule(party=parties, n=numbers)
    def modify(self, party, n):
        """Another meter takes a review."""
        n = self.some(n)
        now, self.count = self.known[n], self.count + 1
        meter = f"M-{self.count}"
        handed = self.change(party, n, "modify", self.may_file(party, n), meter_id=meter)
        if handed:
            self.wait(handed, Pending(n, replace(now, meter=meter), "modify", party))

    @rule(party=parties, n=numbers)
    def notify(self, party, n):
        """Other firmware is a notice."""
        n = self.some(n)
        now, self.count = self.known[n], self.count + 1
        firmware = f"{self.count}"
        if self.change(party, n, "modify", self.may_file(party, n), firmware=firmware):
            self.effective(n, replace(now, firmware=firmware))

    @rule(party=parties, n=numbers, kind=strategies.sampled_from(["suspend", "reinstate"]))
    def out_and_back(self, party, n, kind):
        n = self.some(n)
        now = self.known[n]
        before, after = ("active", "inactive") if kind == "suspend" else ("inactive", "active")
        if self.change(party, n, kind, now.holder == party and now.status == before and party not in self.suspended):
            self.known[n] = replace(now, status=after)

    @rule(party=parties, n=numbers)
    def retire(self, party, n):
        n = self.some(n)
        now = self.known[n]
        handed = self.change(party, n, "retire", self.may_file(party, n))
        if handed:
            self.wait(handed, Pending(n, replace(now, status="decommissioned"), "retire", party))

    @rule(party=parties, n=numbers, right=strategies.booleans())
    def switch(self, party, n, right):
        """A look-up by two facts, the switch of what it found, and the former holder's open window."""
        n = self.some(n)
        now, actor = self.known[n], self.administrator(party)
        fact = {"usage_point_id": named(now.point), "fact": "serial_no", "value": f"SN-{n if right else 99}"}
        look = lookups.look_up(actor=actor, aggregator=self.world.organizations[party], edc=self.world.edc, **fact)
        assert bool(look.ders) == (right and now.status != "decommissioned")
        waits = any(each.der == n and each.kind == "switch" for each in self.pending.values())
        legal = bool(look.ders) and now.holder != party and not waits and party not in self.suspended
        try:
            with transaction.atomic():
                paper = upload(b"I authorise it.", "authorisation.txt")
                said = {"starts_on": timezone.localdate(), "authorisation": "AU-1", "evidence": paper}
                handed = self.hand_in(switches.start(actor=actor, look_ups=[look], **said), party)
        except UserError:
            assert not legal
            return
        assert legal
        self.wait(handed, Pending(n, replace(now, holder=party, began_today=True), "switch", party, heard=False))

    @precondition(lambda self: any(not each.heard for each in self.pending.values()))
    @rule(party=parties, objects=strategies.booleans())
    def answer(self, party, objects):
        """The former holder answers; nobody else may."""
        pk, waiting = next((pk, each) for pk, each in self.pending.items() if not each.heard)
        notice = UtilityReview.objects.get(pk=pk).switch_notices.get()
        said = {"name": "object", "ground": "wrong_der", "statement": "Another house"} if objects else {"name": "agree"}
        try:
            switches.answer(actor=self.administrator(party), notice=notice, **said)
        except NotPermitted:
            assert notice.former.slug != party
            return
        assert notice.former.slug == party
        self.pending[pk] = replace(waiting, heard=True)

    @precondition(lambda self: self.pending)
    @rule(data=strategies.data(), approve=strategies.booleans(), stranger=mostly_the_utility)
    def decide(self, data, approve, stranger):
        """The utility decides one of its reviews; strangers may not, and what has become illegal meanwhile is refused."""
        pk = data.draw(strategies.sampled_from(sorted(self.pending)))
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
            self.take_effect(waiting)

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
        return now.holder == waiting.filer and self.effects.get(waiting.der, 0) < waiting.filed_at

    def take_effect(self, waiting: Pending):
        if waiting.kind == "register":
            self.begin(waiting)
            return
        now, after = self.known[waiting.der], waiting.after
        if waiting.kind == "switch":
            self.known[waiting.der] = replace(now, holder=waiting.filer, began_today=True, member=False, former=now.holder, consent="")
        elif waiting.kind == "retire":
            self.effective(waiting.der, replace(now, status="decommissioned", member=False))
        elif waiting.kind == "transfer":
            self.effective(waiting.der, replace(now, reference=after.reference, consent=""))
        elif waiting.kind == "relocate":
            feeder = ServicePoint.objects.get(usage_point_id=named(after.point)).feeder.code
            self.effective(waiting.der, replace(now, point=after.point, feeder=feeder))
        else:
            self.effective(waiting.der, replace(now, meter=after.meter))

    def begin(self, waiting: Pending):
        """A DER is registered; its tenure began some days ago, as those of the others."""
        made = Der.objects.get(serial_no=f"SN-{waiting.der}")
        with acting(None, "system: tests"):
            DerTenure.objects.filter(der=made).update(valid_during=(BEGAN, None), is_first=False)
        self.keys[waiting.der] = made.pk
        self.known[waiting.der] = waiting.after

    @rule(party=parties, somewhere=strategies.booleans())
    def register(self, party, somewhere):
        """A new DER takes a review; one at a service point that nobody knows is refused."""
        n = max([*self.known, *(each.der for each in self.pending.values())]) + 1
        if n > MOST or n in self.taken():
            return
        point = named(n) if somewhere else "nowhere"
        legal = somewhere and party not in self.suspended
        actor, aggregator = self.administrator(party), self.world.organizations[party]
        try:
            with transaction.atomic():
                draft = filing.receive_file(actor=actor, aggregator=aggregator, upload=upload(table([row(n, usage_point_id=point)])))
                run(draft.job)
                draft.refresh_from_db()
                handed = self.hand_in(draft, party)
        except UserError:
            assert not legal, f"the registration of {n} by {party} was refused"
            return
        assert legal, f"the registration of {n} by {party} went through"
        feeder = ServicePoint.objects.get(usage_point_id=point).feeder.code
        self.wait(handed, Pending(n, Known(holder=party, feeder=feeder, point=n, reference=f"C-{n}"), "register", party))

    @rule(party=parties, by=strategies.sampled_from(("rerra", "rerra", "operator", *HOLDERS)))
    def suspend_or_reinstate(self, party, by):
        """The regulator keeps an aggregator from filing, and lets it again; nobody else does."""
        actor, rerra = self.administrator(by), self.world.organizations["rerra"]
        aggregator = self.world.organizations[party]
        try:
            if party in self.suspended:
                held = Suspension.objects.get(aggregator=aggregator, status="in_force")
                standing.reinstate(actor=actor, suspension=held, reason="Mended")
            else:
                standing.suspend(actor=actor, aggregator=aggregator, authority=rerra, reason="breach", statement="Not as attested")
        except NotPermitted:
            assert by != "rerra"
            return
        assert by == "rerra"
        self.suspended ^= {party}

    @rule(party=parties, n=numbers, leaving=strategies.booleans(), stranger=strategies.booleans())
    def join_or_leave(self, party, n, leaving, stranger):
        """A DER becomes a member of its holder's aggregation, once, or leaves it; another's DER is in none of one's own."""
        n = self.some(n)
        now = self.known[n]
        actor = self.administrator(next(each for each in HOLDERS if each != party) if stranger else party)
        may = now.member if leaving else not now.member and now.status != "decommissioned"
        may = may and (leaving or now.consent != "revoked")
        legal = not stranger and now.holder == party and may
        change, terms = (membership.drop if leaving else membership.add), membership.Terms(services=("energy",))
        try:
            with transaction.atomic():
                change(actor=actor, aggregation=self.aggregations[party], ders=[str(self.only(n).get().uuid)], terms=terms)
        except (NotPermitted, UserError):
            assert not legal, f"{n} {'leaving' if leaving else 'joining'} {party} was refused"
            return
        assert legal, f"{n} {'leaving' if leaving else 'joining'} {party} went through"
        self.known[n] = replace(now, member=not leaving)

    @rule(n=numbers, feeder=strategies.integers(0, 1), stranger=strangers)
    def reconfigure(self, n, feeder, stranger):
        """The utility moves a service point to a feeder; nobody else does."""
        n = self.some(n)
        target = self.world.feeders["edc"][feeder]
        point = named(self.known[n].point)
        legal = not stranger and self.known[n].feeder != target.code
        actor = self.administrator(stranger or "edc")
        day = timezone.localdate()
        legal = legal and not FormerConnection.objects.filter(service_point__usage_point_id=point).exists()
        said = {"edc": self.world.edc, "reason": "Relief", "starts_on": day, "usage_points": [point], "to_feeder": target}
        try:
            with transaction.atomic():
                acts.carry_out(actor=actor, reconfiguration=acts.prepare(actor=actor, **said))
        except (NotPermitted, UserError):
            assert not legal
            return
        assert legal
        self.known[n] = replace(self.known[n], feeder=target.code)


def test_random_sequences_of_all_parties(world, settings, tmp_path):
    """Few and short runs here; more are a matter of the numbers below."""
    store_in(settings, tmp_path)
    review = reviewed(world, [row(n) for n in range(1, DERS + 1)])
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=StagedDer.objects.all(), kind="approve")
    with acting(None, "system: tests"):
        DerTenure.objects.update(valid_during=(BEGAN, None), is_first=False)
    Registry.world = world
    Registry.keys = {n: Der.objects.get(serial_no=f"SN-{n}").pk for n in range(1, DERS + 1)}
    Registry.feeders = {n: Der.objects.get(pk=key).feeder.code for n, key in Registry.keys.items()}
    catalogue.load()
    for party in HOLDERS:
        own = {"aggregator": world.organizations[party], "actor": world.user(party, "administrator")}
        Registry.aggregations[party] = building.create(name=f"Of {party}", tso=world.tso, services=["energy"], **own)
    chosen = profile(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Registry, settings=chosen)
