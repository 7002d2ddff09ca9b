"""Read models: the checklist of a subject, and who a rule change would touch."""

from collections import Counter
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from moc.access import visibility
from moc.access.models import Organization
from moc.rules import Rule
from moc.rulesets.law import Law
from moc.rulesets.models import RuleChange, RuleSet
from registry.aggregations.models import Aggregation
from registry.ders.models import Der
from registry.prequalification.models import BrokenRule, Offer, Qualification, QualificationOverride
from registry.prequalification.rules import DERS, OFFERS, Test
from registry.prequalification.rules.base import holds
from registry.prequalification.rules.numbers import Numbers, shown, taking


@dataclass
class Item:
    """One rule on the checklist: passed or broken, with both numbers, its source and whether that has been verified."""

    rule: Rule
    passed: bool
    value: str = ""
    limit: str = ""
    row: RuleSet | None = None


@dataclass
class Service:
    """The verdict on one service, with every rule."""

    verdict: Qualification
    override: QualificationOverride | None
    items: list[Item] = field(default_factory=list)
    dispute_url: str = ""

    @property
    def broken(self) -> list[Item]:
        return [item for item in self.items if not item.passed]

    @property
    def passed(self) -> list[Item]:
        return [item for item in self.items if item.passed]


def checklist(subject: Der | Aggregation) -> list[Service]:
    """Every service of a subject with its verdict and every rule, passed or broken; seven queries, whatever the number of services."""
    is_der = isinstance(subject, Der)
    numbers = Numbers.on(timezone.localdate())
    verdicts = Qualification.objects.of(subject).select_related("service", "market").order_by("service__name")
    broken = list(BrokenRule.objects.of(subject))
    standing = QualificationOverride.objects.of(subject).filter(ended_at=None).select_related("by")
    overrides = {each.service_id: each for each in standing}
    found = []
    for verdict in verdicts:
        asked = numbers.authorities["edc_id"][subject.edc_id] if is_der else (verdict.market.slug,)
        barring = {row.code: row for row in broken if row.services is None or verdict.service_id in row.services}
        items = [_item(test, barring.get(test.rule.code), numbers, asked) for test in (DERS if is_der else OFFERS)]
        found.append(Service(verdict, overrides.get(verdict.service_id), [item for item in items if item is not None]))
    return found


def _item(test: Test, broken: BrokenRule | None, numbers: Numbers, asked: tuple[str, ...]) -> Item | None:
    """A rule on the checklist; none where it takes a number and nobody has set one."""
    row = numbers.law.row(test.keys[0], *asked) if test.keys else None
    if broken is not None:
        return Item(test.rule, False, broken.value, broken.limit, row)
    if test.keys and (row is None or numbers.law.value(test.keys[0], *asked) is None):
        return None
    return Item(test.rule, True, "", shown(row.value) if row else "", row)


def verdicts(aggregation: Aggregation) -> dict[str, dict]:
    """Service → whether it qualifies and which rules it breaks, as a decision keeps it."""
    broken = list(BrokenRule.objects.of(aggregation).values_list("code", "services", "value", "limit"))
    return {
        service: {
            "eligible": eligible,
            "broken": {code: [value, limit] for code, services, value, limit in broken if services is None or service in services},
        }
        for service, eligible in Qualification.objects.of(aggregation).order_by("service").values_list("service_id", "eligible")
    }


def reading(key: str) -> tuple[list[Test], list[Test]]:
    """The rules on DERs and on offers that take their numbers from a key; from a pack, all that take numbers."""
    if key == "pack":
        return [test for test in DERS if test.keys], [test for test in OFFERS if test.keys]
    also = {"small_utility_opt_in": "small_utility_mwh"}
    key = also.get(key, key)
    return [test for test in DERS if key in test.keys], [test for test in OFFERS if key in test.keys]


def standing(change: RuleChange) -> RuleSet | None:
    """The row of the law that a change would replace for its authority, today."""
    return Law.on(timezone.localdate()).row(change.key, change.authority)


def sights(change: RuleChange) -> dict[str, list[visibility.Loss]]:
    """Who would lose sight of how many fields and records, and who would see them again; nothing for another kind of change."""
    if change.key != visibility.KEY:
        return {}
    own = Law.on(timezone.localdate()).rows.get((change.key, change.authority))
    return visibility.preview(change.authority, own.value if own else {}, change.value)


def touched(change: RuleChange, *, breaks: bool, model: type[Der] | type[Offer] = Der, today: Numbers | None = None) -> QuerySet:
    """The rows that would newly break a rule (or newly pass it) if a change were in force: one pass over them.

    A row newly breaks where it is barred from a service from which it is not barred today. `today` spares reading the law again.
    """
    tests = reading(change.key)[0 if model is Der else 1]
    today = today or Numbers.on(timezone.localdate())
    then = today.amended(change.as_row())
    found = Q(pk__in=[])
    for test in tests:
        with taking(today):
            now = test.conditions()
        with taking(then):
            new = test.conditions()
        before, after = (now, new) if breaks else (new, now)
        found |= reduce(or_, (when & ~Q(holds(before.get(service, Q(pk__in=[])))) for service, when in after.items()), Q(pk__in=[]))
    return (Der.objects.registered() if model is Der else Offer.objects).filter(found)


@dataclass
class Preview:
    """Whom a change would touch, within the sight of who asks."""

    ders: dict[str, int]
    offers: dict[str, list[Offer]]
    groups: dict[str, dict[str, list[tuple[str, int]]]]
    rules: list[Rule]


def preview(change: RuleChange, user) -> Preview:
    """Who would newly break or newly pass: DERs counted by utility, aggregator and technology, aggregations by name."""
    on_ders, on_offers = reading(change.key)
    today = Numbers.on(timezone.localdate())
    counts, groups, offers = {}, {}, {}
    for name, breaks in (("break", True), ("pass", False)):
        rows = touched(change, breaks=breaks, today=today).visible_to(user) if on_ders else Der.objects.none()
        groups[name] = _grouped(rows) if on_ders else {}
        counts[name] = sum(count for _, count in groups[name].get("technology", []))
        found = touched(change, breaks=breaks, model=Offer, today=today).visible_to(user) if on_offers else Offer.objects.none()
        offers[name] = list(found.select_related("aggregation__aggregator", "service").order_by("aggregation__name", "service")[:200])
    return Preview(counts, offers, groups, [test.rule for test in (*on_ders, *on_offers)])


def _grouped(rows: QuerySet[Der]) -> dict[str, list[tuple[str, int]]]:
    """Counts by utility, aggregator and technology, largest first: one grouped pass."""
    cells = list(rows.order_by().values_list("edc_id", "aggregator_id", "der_type").annotate(number=Count("pk")))
    names = dict(
        Organization.objects.filter(pk__in={key for edc, aggregator, *_ in cells for key in (edc, aggregator)}).values_list("pk", "name")
    )
    labels = dict(Der._meta.get_field("der_type").flatchoices)
    totals = {"utility": Counter(), "aggregator": Counter(), "technology": Counter()}
    for edc, aggregator, kind, number in cells:
        totals["utility"][names[edc]] += number
        totals["aggregator"][names[aggregator]] += number
        totals["technology"][str(labels.get(kind, kind))] += number
    return {name: counter.most_common() for name, counter in totals.items()}
