"""What the state machine does about owners: their homes are sold, their DERs leave, they consent and revoke. R5, N12, ¶270, ¶336."""

from dataclasses import replace
from datetime import UTC, datetime, time

from django.db import transaction
from hypothesis import strategies
from hypothesis.stateful import rule

from moc.access.models import User
from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from registry.aggregations.services import consents
from registry.customers import services as customers
from registry.customers.models import OwnerAccount, PersonalUse
from registry.ders.models import Der
from registry.participants.models import Consent
from registry.submissions.services import changes
from tests.registry.submissions.machine_deciding import STRANGERS, verdicts
from tests.registry.submissions.machine_model import HOLDERS, Known, Pending, named

MOST, POINTS = 5, 6
numbers, parties = strategies.integers(0, 9), strategies.sampled_from((None, None, None, *HOLDERS))  # None: who holds the DER
strangers = strategies.sampled_from((None, None, *STRANGERS))
EVENT = (datetime(2027, 7, 1, 14, tzinfo=UTC), datetime(2027, 7, 1, 18, tzinfo=UTC))
USES = {
    "opt_out": {"starts_at": EVENT[0], "ends_at": EVENT[1]},
    "reserve": {"reserve_percent": 20},
    "blackout": {"weekdays": [6, 7], "from_time": time(18), "until_time": time(22)},
}


class OwnersActs:
    """Rules of a machine with `known`, `pending`, `count`, `may_file`, `hand_in`, `wait`, `some`, `only` and `administrator`."""

    def taken(self) -> set[int]:
        """The service points at which a DER is, or would be."""
        return {each.point for each in self.known.values()} | {each.after.point for each in self.pending.values()}

    def sell(self, party: str, n: int, kind: str, after: Known, at_once: str, **said):
        """The home of a DER is sold: it stays with the next owner, or leaves for another place."""
        if self.known[n].began_today:  # whose owner nobody has filed yet
            return
        legal = self.may_file(party, n)
        try:
            with transaction.atomic():
                draft = changes.sell_home(actor=self.administrator(party), reason="Sold", **said)
                handed = self.hand_in(draft, party)
        except (NotPermitted, UserError):
            assert not legal, f"{kind} of {n} by {party} was refused"
            return
        assert legal, f"{kind} of {n} by {party} went through"
        self.wait(handed, Pending(n, after, kind, party), at_once)

    @rule(party=parties, n=numbers, said=verdicts)
    def transfer(self, party, n, said):
        """A DER goes to another owner, who consents anew."""
        n, self.count = self.some(n), self.count + 1
        party = party or self.known[n].holder
        given = {"owner": {"edc_account_no": f"9{self.count:05}", "owner_name": "Next"}, "consent_reference": f"C-9{self.count}"}
        after = replace(self.known[n], reference=given["consent_reference"])
        self.sell(party, n, "transfer", after, said, stay=self.only(n), leave=Der.objects.none(), moves_to="", **given)

    @rule(party=parties, n=numbers, point=strategies.integers(1, POINTS), said=verdicts)
    def relocate(self, party, n, point, said):
        """A DER leaves with its owner for another service point, where none is."""
        n = self.some(n)
        party = party or self.known[n].holder
        if point in self.taken():
            return
        given = {"owner": {}, "consent_reference": "", "moves_to": named(point)}
        after = replace(self.known[n], point=point)
        self.sell(party, n, "relocate", after, said, stay=Der.objects.none(), leave=self.only(n), **given)

    @rule(n=numbers, stranger=strangers)
    def consent_or_revoke(self, n, stranger):
        """The owner, and nobody else, lets the aggregator offer the DER in markets, and no longer: then it leaves its aggregation."""
        n = self.some(n)
        now, der = self.known[n], self.only(n).get()
        if der.owner is None:
            return
        revokes = now.consent == "given"
        actor = self.administrator(stranger) if stranger and stranger != now.holder else self.owner_of(der)
        legal = actor == self.owner_of(der)
        try:
            with transaction.atomic():
                if revokes:
                    held = Consent.objects.get(owner=der.owner, status="in_force")
                    customers.revoke(actor=actor, consent=held, reason="Changed my mind")
                else:
                    said = {"aggregator": self.world.organizations[now.holder], "scopes": ["market"], "purpose": "Markets"}
                    customers.consent(actor=actor, owner=der.owner, **said)
        except NotPermitted:
            assert not legal
            return
        assert legal
        consents.end_without_consent()
        self.known[n] = replace(now, consent="revoked" if revokes else "given", member=now.member and not revokes)
        self.done("revoked" if revokes else "consented")

    @rule(n=numbers, kind=strategies.sampled_from(("opt_out", "opt_out", *USES)), back=strategies.booleans(), stranger=strangers)
    def keep_or_give_back(self, n, kind, back, stranger):
        """The owner, and nobody else, keeps the DER out of an event, or some of it, and no longer."""
        n = self.some(n)
        der, kept = self.only(n).get(), self.kept.get(n, {})
        if der.owner is None:
            return
        actor = self.administrator(stranger) if stranger else self.owner_of(der)
        mine = [pk for pk, each in kept.items() if each == kind]
        try:
            with transaction.atomic():
                if back and mine:
                    customers.end_use(actor=actor, use=PersonalUse.objects.get(pk=mine[0]))
                    made = {}
                else:
                    made = {customers.state_use(actor=actor, der=der, kind=kind, **USES[kind]).pk: kind}
        except NotPermitted:
            assert stranger
            return
        assert not stranger
        gone = mine[:1] if not made or kind == "reserve" else []  # a new reserve takes the place of the former
        self.kept[n] = {pk: each for pk, each in kept.items() if pk not in gone} | made
        barred = PersonalUse.objects.barring(EVENT[0]).filter(der=der).exists()
        assert barred == ("opt_out" in self.kept[n].values())
        self.done(kind if made else "given back")

    def owner_of(self, der: Der) -> User:
        """The account of the owner of a DER."""
        with acting(None, "system: tests"):
            user, _ = User.objects.get_or_create(email=f"owner{der.owner_id}@example.org", defaults={"name": "An owner"})
            OwnerAccount.objects.get_or_create(user=user, owner=der.owner, edc=der.edc)
        return user
