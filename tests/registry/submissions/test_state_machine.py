"""Random legal and illegal sequences by all parties against a simple model: R1, R3, R4, R7, N2, N3, N5, N12, ¶160, ¶238, ¶292, ¶336, ¶338.

Aggregators register, change, switch, retire, relocate and pool DERs, which go to other owners; owners consent, revoke, and keep DERs
out of events; aggregations come before the RTO, which validates, denies, suspends and lets their members in; the utility decides and
re-switches feeders; the regulator suspends and reinstates; each tries what is another's to do. After each step: no overlap and no gap
of tenures, no member of two aggregations or of another's, no record without a review, nothing in a market without the RTO's word,
every version attributable, and everybody sees exactly what the model says.
"""

from collections import Counter
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
from registry.ders.models import Der, DerTenure
from registry.grid.models import ServicePoint
from registry.reconfigurations.models import FormerConnection
from registry.reconfigurations.services import acts
from registry.submissions.models import StagedDer, UtilityReview
from registry.submissions.services import changes, filing, lookups, reviewing, switches
from tests.factories.filings import reviewed, row, run, store_in, table, upload
from tests.factories.qualification import law
from tests.registry.submissions.machine_deciding import Deciding, verdicts
from tests.registry.submissions.machine_markets import AFTER, LEAST_KW, OPEN, MarketActs
from tests.registry.submissions.machine_model import BEGAN, HOLDERS, Held, Known, Pending, Pool, named
from tests.registry.submissions.machine_owners import MOST, OwnersActs, numbers, parties, strangers

pytestmark = pytest.mark.django_db
DERS, EXAMPLES, STEPS = 3, 3, 14
holders = strategies.sampled_from(HOLDERS)
mostly, seldom = strategies.sampled_from((True, True, False)), strategies.sampled_from((False, False, True))


class Registry(Held, Deciding, OwnersActs, MarketActs, RuleBasedStateMachine):
    """The registry, its parties, and the model that they are held against. Each run is rolled back.

    `effects` says when a filing last changed a DER's facts: what was filed before that would undo it, and is refused. `validations`
    wait for the RTO: (DER, party) by key. `kept` is what owners keep of a DER: kinds by key. `happened` counts what took effect.
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
        self.validations: dict[int, tuple[int, str]] = {}
        self.kept: dict[int, dict[int, str]] = {}
        self.pools = dict.fromkeys(HOLDERS, Pool())
        self.happened: Counter[str] = Counter()
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

    def done(self, kind: str):
        """Something took effect."""
        self.happened[kind] += 1

    def some(self, n: int) -> int:
        """One of the registered DERs, mostly of those that have not left for good."""
        living = [each for each in sorted(self.known) if self.known[each].status != "decommissioned"]
        among = living if living and n < 8 else sorted(self.known)
        return among[n % len(among)]

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

    def may_file(self, party: str, n: int) -> bool:
        """Facts are filed by who holds the DER and knows its owner: after a switch today nobody has filed one yet."""
        now = self.known[n]
        return now.holder == party and now.status != "decommissioned" and not now.began_today and party not in self.suspended

    @rule(party=parties, n=numbers, said=verdicts)
    def modify(self, party, n, said):
        """Another meter takes a review."""
        n = self.some(n)
        party = party or self.known[n].holder
        now, self.count = self.known[n], self.count + 1
        meter = f"M-{self.count}"
        handed = self.change(party, n, "modify", self.may_file(party, n), meter_id=meter)
        if handed:
            self.wait(handed, Pending(n, replace(now, meter=meter), "modify", party), said)

    @rule(party=parties, n=numbers)
    def notify(self, party, n):
        """Other firmware is a notice."""
        n = self.some(n)
        party = party or self.known[n].holder
        now, self.count = self.known[n], self.count + 1
        firmware = f"{self.count}"
        if self.change(party, n, "modify", self.may_file(party, n), firmware=firmware):
            self.effective(n, replace(now, firmware=firmware))
            self.done("notice")

    @rule(party=parties, n=numbers, kind=strategies.sampled_from(["suspend", "reinstate"]))
    def out_and_back(self, party, n, kind):
        n = self.some(n)
        party = party or self.known[n].holder
        now = self.known[n]
        before, after = ("active", "inactive") if kind == "suspend" else ("inactive", "active")
        if self.change(party, n, kind, now.holder == party and now.status == before and party not in self.suspended):
            self.known[n] = replace(now, status=after)
            self.done(kind)

    @rule(party=parties, n=numbers, said=verdicts)
    def retire(self, party, n, said):
        n = self.some(n)
        now = self.known[n]
        party = party or now.holder
        handed = self.change(party, n, "retire", self.may_file(party, n))
        if handed:
            self.wait(handed, Pending(n, replace(now, status="decommissioned"), "retire", party), said)

    @rule(party=parties, n=numbers, right=mostly, said=verdicts)
    def switch(self, party, n, right, said):
        """A look-up by two facts, the switch of what it found, and the former holder's open window."""
        n = self.some(n)
        now = self.known[n]
        party = party or next(each for each in HOLDERS if each != now.holder)
        actor = self.administrator(party)
        fact = {"usage_point_id": named(now.point), "fact": "serial_no", "value": f"SN-{n if right else 99}"}
        look = lookups.look_up(actor=actor, aggregator=self.world.organizations[party], edc=self.world.edc, **fact)
        assert bool(look.ders) == (right and now.status != "decommissioned")
        waits = any(each.der == n and each.kind == "switch" for each in self.pending.values())
        legal = bool(look.ders) and now.holder != party and not waits and party not in self.suspended
        try:
            with transaction.atomic():
                paper = upload(b"I authorise it.", "authorisation.txt")
                shown = {"starts_on": timezone.localdate(), "authorisation": "AU-1", "evidence": paper}
                handed = self.hand_in(switches.start(actor=actor, look_ups=[look], **shown), party)
        except UserError:
            assert not legal
            return
        assert legal
        self.wait(handed, Pending(n, replace(now, holder=party, began_today=True), "switch", party, heard=False), said)

    @precondition(lambda self: any(not each.heard for each in self.pending.values()))
    @rule(party=holders, objects=strategies.booleans())
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

    @rule(party=holders, somewhere=mostly, said=verdicts)
    def register(self, party, somewhere, said):
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
        self.wait(handed, Pending(n, Known(holder=party, feeder=feeder, point=n, reference=f"C-{n}"), "register", party), said)

    @rule(party=holders, by=strategies.sampled_from(("rerra", "rerra", "operator", *HOLDERS)))
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
        self.done("aggregator suspended" if party in self.suspended else "aggregator reinstated")

    @rule(
        party=parties,
        n=numbers,
        leaving=strategies.sampled_from((False, False, True)),
        stranger=strategies.sampled_from((False, False, True)),
    )
    def join_or_leave(self, party, n, leaving, stranger):
        """A DER becomes a member of its holder's aggregation, once, or leaves it; another's DER is in none of one's own."""
        n = self.some(n)
        now = self.known[n]
        party = party or now.holder
        actor = self.administrator(next(each for each in HOLDERS if each != party) if stranger else party)
        may = now.member if leaving else not now.member and now.status != "decommissioned"
        may = may and (leaving or now.consent != "revoked")
        legal = not stranger and now.holder == party and may and self.pools[party].status in OPEN
        change, terms = (membership.drop if leaving else membership.add), membership.Terms(services=("energy",))
        try:
            with transaction.atomic():
                change(actor=actor, aggregation=self.aggregations[party], ders=[str(self.only(n).get().uuid)], terms=terms)
        except (NotPermitted, UserError):
            assert not legal, f"{n} {'leaving' if leaving else 'joining'} {party} was refused"
            return
        assert legal, f"{n} {'leaving' if leaving else 'joining'} {party} went through"
        self.known[n] = replace(now, member=not leaving)
        self.done("left" if leaving else "joined")

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
        self.done("reconfigured")


@pytest.fixture
def machine(world, settings, tmp_path) -> type[Registry]:
    """The machine over three registered DERs of the first aggregator, and an aggregation of each aggregator in a market with rules."""
    store_in(settings, tmp_path)
    review = reviewed(world, [row(n) for n in range(1, DERS + 1)])
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=StagedDer.objects.all(), kind="approve")
    with acting(None, "system: tests"):
        DerTenure.objects.update(valid_during=(BEGAN, None), is_first=False)
    Registry.world = world
    Registry.keys = {n: Der.objects.get(serial_no=f"SN-{n}").pk for n in range(1, DERS + 1)}
    Registry.feeders = {n: Der.objects.get(pk=key).feeder.code for n, key in Registry.keys.items()}
    law("min_aggregation_kw", LEAST_KW)
    law("member_change_validation", "validates")
    where = {"tso": world.tso, "td_interface": world.edc.td_interfaces.first(), "services": ["energy"], "upper_limit_kw": LEAST_KW}
    for party in HOLDERS:
        own = {"aggregator": world.organizations[party], "actor": world.user(party, "administrator")}
        Registry.aggregations[party] = building.create(name=f"Of {party}", **where, **own)
    return Registry


def test_random_sequences_of_all_parties(machine, whole):
    """Few and short runs here, more and longer ones with `make whole`."""
    chosen = profile(
        max_examples=10 * EXAMPLES if whole else EXAMPLES,
        stateful_step_count=2 * STEPS if whole else STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)


WALK = (
    ("notify", "aggregator", 0),
    ("modify", "aggregator", 0, "approve"),
    ("consent_or_revoke", 1, None),
    ("keep_or_give_back", 1, "opt_out", False, None),
    ("join_or_leave", "aggregator", 0, False, False),
    ("submit_or_take_back", "aggregator", None, "submit"),
    ("judge", "aggregator", "register", None, 0),  # too small: refused
    ("judge", "aggregator", "deny", None, 0),
    ("join_or_leave", "aggregator", 1, False, False),
    ("submit_or_take_back", "aggregator", None, "submit"),
    ("judge", "aggregator", "ask", None, 0),
    ("reply", "aggregator"),
    ("judge", "aggregator", "return_incomplete", None, 0),
    ("submit_or_take_back", "aggregator", None, "submit"),
    ("submit_or_take_back", "aggregator", None, "withdraw"),
    ("join_or_leave", "aggregator", 1, True, False),
    ("join_or_leave", "aggregator", 1, False, False),
    ("submit_or_take_back", "aggregator", None, "submit"),
    ("judge", "aggregator", "register", "tso2", 0),  # another's: refused
    ("judge", "aggregator", "register", None, 9),
    ("file_members", 2, "add", None, "approve"),
    ("validate_members", 0, False, None),
    ("file_members", 2, "drop", None, "approve"),
    ("out_and_back", "aggregator", 1, "suspend"),
    ("judge", "aggregator", "suspend", None, 0),
    ("file_members", 2, "add", None, "approve"),
    ("validate_members", 0, True, None),
    ("out_and_back", "aggregator", 1, "reinstate"),
    ("judge", "aggregator", "reinstate", None, 0),
    ("reconfigure", 2, 1, None),
    ("relocate", "aggregator", 2, 6, "approve"),
    ("transfer", "aggregator", 1, "approve"),
    ("keep_or_give_back", 0, "reserve", False, None),
    ("keep_or_give_back", 0, "blackout", False, None),
    ("keep_or_give_back", 0, "reserve", True, None),
    ("consent_or_revoke", 0, None),
    ("consent_or_revoke", 0, None),
    ("suspend_or_reinstate", "aggregator", "rerra"),
    ("suspend_or_reinstate", "aggregator", "rerra"),
    ("register", "aggregator2", True, "approve"),
    ("switch", "aggregator2", 1, True, "approve"),
    ("modify", "aggregator", 0, "deny"),
    ("retire", "aggregator", 0, "approve"),
)
KINDS = {"notice", "modify", "denied", "retire", "register", "switch", "transfer", "relocate", "suspend", "reinstate", "reconfigured"}
KINDS |= {"consented", "revoked", "opt_out", "reserve", "blackout", "given back", "joined", "left", "add", "drop"}
KINDS |= {"submit", "withdraw", "answer", "members validated", "members denied", *(f"RTO: {act}" for act in AFTER)}
KINDS |= {"aggregator suspended", "aggregator reinstated"}


def test_each_kind_takes_effect(machine):
    """The same rules one after the other, so that none of them is only ever refused, whatever the random runs were."""
    walked = machine()
    try:
        for name, *said in WALK:
            getattr(walked, name)(*said)
            for each in walked.invariants:
                each.function(walked)
        assert set(walked.happened) == KINDS
    finally:
        walked.teardown()
