"""What the model of the state machine knows, and what must hold after each of its steps."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef
from django.utils import timezone
from hypothesis.stateful import invariant

from moc.access import tenure
from registry.aggregations.models import Aggregation, AggregationMember
from registry.aggregators.models import Suspension
from registry.customers.models import PersonalUse
from registry.ders.models import Der, DerTenure
from registry.grid.models import ServicePoint
from registry.participants.models import Consent
from registry.prequalification.models import MarketDecision
from registry.submissions.membership import MemberValidation
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview

BEGAN, HOLDERS = date(2026, 1, 1), ("aggregator", "aggregator2")
RECORDED = (Der, DerTenure, AggregationMember, ServicePoint, Submission, UtilityReview, Decision, Suspension)
RECORDED += (Aggregation, MarketDecision, MemberValidation, Consent, PersonalUse)


def named(point: int) -> str:
    """The utility's id of a service point."""
    return f"edc-up-{point:02}"


@dataclass(frozen=True)
class Known:
    """What the model says of a DER; `consent` is its owner's to be offered in markets: not on record, given or revoked."""

    holder: str = "aggregator"
    status: str = "active"
    meter: str = ""
    firmware: str = ""
    feeder: str = "F1"
    point: int = 0
    reference: str = ""
    consent: str = ""
    began_today: bool = False
    member: bool = False


@dataclass(frozen=True)
class Pool:
    """What the model says of a party's one aggregation."""

    status: str = "draft"
    market_id: str = ""
    effective_on: date | None = None


@dataclass(frozen=True)
class Pending:
    """What a review would make of a DER; a switch waits for the former holder's word."""

    der: int
    after: Known
    kind: str
    filer: str
    heard: bool = True
    filed_at: int = 0


class Held:
    """After each step the registry is what the model says. For a machine with `known`, `keys`, `administrator` and `reviewer`."""

    @invariant()
    def the_record_is_the_models(self):
        facts = ("aggregator__slug", "status", "meter_id", "firmware", "feeder__code", "service_point__usage_point_id", "consent_reference")
        rows = Der.objects.values_list("pk", *facts)
        said = {
            self.keys[n]: (each.holder, each.status, each.meter, each.firmware, each.feeder, named(each.point), each.reference)
            for n, each in self.known.items()
        }
        assert {pk: tuple(rest) for pk, *rest in rows} == said

    @invariant()
    def tenures_leave_no_gap_and_no_overlap(self):
        for n, known in self.known.items():
            spans = list(DerTenure.objects.filter(der=self.keys[n]).order_by("id"))
            days = [each.valid_during for each in spans]
            assert days[0].lower == BEGAN and days[-1].upper is None and spans[-1].aggregator.slug == known.holder
            assert all(before.upper == after.lower for before, after in zip(days, days[1:], strict=False))

    @invariant()
    def members_are_the_holders(self):
        """In at most one aggregation for a service, which is its holder's; it leaves with its tenure, with its last day, and when its
        owner no longer consents."""
        rows = AggregationMember.objects.on(timezone.localdate()).values_list("der_id", "aggregation__aggregator__slug")
        assert sorted(rows) == sorted((self.keys[n], each.holder) for n, each in self.known.items() if each.member)

    @invariant()
    def what_owners_keep_is_as_they_said(self):
        """It stands until the owner takes it back or the DER is another's; the aggregator of the day and the utility see it."""
        said = sorted((self.keys[n], pk) for n, uses in self.kept.items() for pk in uses)
        assert sorted(PersonalUse.objects.standing().values_list("der_id", "pk")) == said
        for party in ("edc", "tso", "rerra", "tso2", *HOLDERS):
            seen = PersonalUse.objects.standing().visible_to(self.administrator(party)).values_list("pk", flat=True)
            shown = [pk for n, uses in self.kept.items() for pk in uses if party in ("edc", "tso", "rerra", self.known[n].holder)]
            assert sorted(seen) == sorted(shown), party

    @invariant()
    def nothing_is_effective_without_a_review_and_nobody(self):
        done = StagedDer.objects.filter(status__in=["approved", "noted", "denied"])
        assert not done.filter(decision=None).exists()
        notices = Decision.objects.filter(kind="notice")
        assert not Decision.objects.filter(decided_by=None).exclude(pk__in=notices.values("pk")).exists()
        reviewed_rows = StagedDer.objects.filter(serial_no=OuterRef("serial_no"), submission__kind="register", decision__isnull=False)
        assert not Der.objects.exclude(Exists(reviewed_rows)).exists()
        rows = (model.history.model.objects.filter(history_user=None).order_by() for model in RECORDED)
        unsigned = [each.exclude(history_change_reason__startswith="system:").values_list("history_change_reason") for each in rows]
        assert not (said := list(unsigned[0].union(*unsigned[1:]))), said

    @invariant()
    def everybody_sees_what_the_model_says(self):
        for party in HOLDERS:
            mine = {self.keys[n] for n, each in self.known.items() if each.holder == party}
            actor = self.administrator(party)
            assert set(Der.objects.visible_to(actor).values_list("pk", flat=True)) == mine
            ended = tenure.visible(tenure.ended(Der), Der, actor)
            assert not ended.exists(), "what was recorded today had not stood when a last day ended"
            pooled = {self.keys[n] for n, each in self.known.items() if each.member and each.holder == party}
            members = AggregationMember.objects.on(timezone.localdate()).visible_to(actor)
            assert set(members.values_list("der", flat=True)) == pooled
        for party in ("edc", "tso", "rerra"):
            assert Der.objects.visible_to(self.administrator(party)).count() == len(self.known)
        for party in ("edc2", "tso2", "rerra2", "operator"):
            assert not Der.objects.visible_to(self.administrator(party)).exists()
