"""Passes of the engine: over everything when the law or the day changed, else over what changed since the last one.

A pass pulls: it reads the versions written since the horizon of the last, so whoever changes a record needs to know nothing of this.
"""

from collections.abc import Sequence

from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import BigIntegerField, BooleanField, F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.utils import timezone

from moc import sight
from moc.access.models import Organization, Oversight
from moc.asof import AnyOf
from moc.bulk import analyze, fetch_sql, insert_select, run_sql, take_room
from moc.history import acting
from moc.jobs.models import Job
from moc.jobs.services import enqueue
from moc.rules import value_of
from moc.rulesets import services as rulesets
from moc.rulesets.models import RuleChange, RuleSet
from registry.aggregations.models import Aggregation, AggregationMember, AggregationPnode
from registry.catalogue.models import GridService
from registry.ders.models import Der
from registry.jurisdictions.models import AnnualSales, RetailProgram
from registry.participants.models import UtilityProfile
from registry.prequalification.models import BrokenRule, Offer, Qualification, QualificationOverride, QualificationPass
from registry.prequalification.rules import DERS, OFFERS, Test
from registry.prequalification.rules.base import any_of
from registry.prequalification.rules.numbers import Numbers, current, taking

REASON = "system: qualification"
TASK = "registry.prequalification.tasks.requalify"
LAW = (RuleSet, UtilityProfile, AnnualSales, RetailProgram, Oversight, Organization, GridService)
COLUMNS = ("edc_id", "aggregator_id", "code", "services", "value", "limit")
BROKEN = ("edc_id", "aggregator_id", "broken_code", "broken_services", "broken_value", "broken_limit")


@sight.engine()  # the job is the system's, whoever's act made it due
def soon() -> Job | None:
    """Have a worker qualify what changed once this transaction commits; None where one is asked for already."""
    if Job.objects.filter(task=TASK, status=Job.Status.QUEUED).exists():
        return None
    return enqueue(actor=None, task=TASK, title="Qualify what changed")


@transaction.atomic
def settle(*, actor, change: RuleChange, name: str) -> None:
    """Schedule or withdraw a change of the law; what begins today is judged at once."""
    if name == "withdraw":
        rulesets.withdraw(actor=actor, change=change)
        return
    rulesets.schedule(actor=actor, change=change)
    if change.starts_on <= timezone.localdate():
        soon()


def pull(*, full: bool = False) -> QualificationPass | None:
    """One pass over what changed since the last, over everything when the law did; None when nothing changed.

    Only a pull moves the mark from which the next one looks: verdicts that a decision needs at once are computed beside it.
    """
    with acting(None, REASON):
        run_sql("lock")
        last, today = QualificationPass.objects.first(), timezone.localdate()
        snapshot, horizon = fetch_sql("snapshot")[0]
        if full or last is None or last.day != today or any(_changed(model, last).exists() for model in LAW):
            made = qualify()
        else:
            ders = list(_changed(Der, last).union(_changed(QualificationOverride, last, "der_id").filter(der_id__isnull=False)))
            parts = (AggregationMember, AggregationPnode, QualificationOverride)
            changed = [_changed(Aggregation, last), *(_changed(model, last, "aggregation_id") for model in parts)]
            aggregations = [pk for pk in changed[0].union(*changed[1:]) if pk is not None]
            if not ders and not aggregations:
                return None
            made = qualify(ders=ders, aggregations=aggregations)
        made.snapshot, made.horizon = snapshot, horizon
        made.save(force_insert=True)
        return made


def _changed(model, last: QualificationPass, key: str = "") -> QuerySet:
    """The keys of records with versions that the last pass could not see: their transactions were open, or had not begun."""
    seen = Func(
        Cast(F("transaction_id"), TextField()),
        Value(last.snapshot, output_field=TextField()),
        template="pg_visible_in_snapshot(%(expressions)s::pg_snapshot)",
        arg_joiner="::xid8, ",
        output_field=BooleanField(),
    )
    rows = model.history.model.objects.filter(transaction_id__gte=last.horizon).exclude(Q(seen))
    return rows.order_by().values_list(key or model._meta.pk.attname, flat=True).distinct()


def qualify(
    *, ders: Sequence[int] | None = None, aggregations: Sequence[int] | None = None, numbers: Numbers | None = None
) -> QualificationPass:
    """Recompute the verdicts of some DERs and of the aggregations that they are in, and of further ones; of everything by default.

    Returns the pass, not saved, with how many verdicts it changed.
    """
    started, today = timezone.now(), timezone.localdate()
    with acting(None, REASON), taking(numbers or Numbers.on(today)):
        take_room()
        full = ders is None
        changed = ders_judged(ders)
        if full:
            analyze(Qualification, "der_id", "aggregation_id", "service_id")
        else:
            among = AggregationMember.objects.filter(_among("der_id", ders))
            aggregations = sorted({*(aggregations or ()), *among.values_list("aggregation_id", flat=True)})
        changed += aggregations_judged(aggregations)
        counted = (Der.objects.count(), Offer.objects.values("aggregation").distinct().count()) if full else (len(ders), len(aggregations))
    return QualificationPass(
        full=full,
        day=today,
        started_at=started,
        ended_at=timezone.now(),
        ders=counted[0],
        aggregations=counted[1],
        changed=changed,
    )


def _among(column: str, keys: Sequence[int] | None) -> Q:
    """Rows of some keys; of all for None."""
    return Q() if keys is None else Q(AnyOf(F(column), Value(list(keys), output_field=ArrayField(BigIntegerField()))))


def ders_judged(keys: Sequence[int] | None) -> int:
    """Judge DERs by every rule on DERs, and write their verdicts; returns how many of those changed."""
    BrokenRule.objects.of_ders().filter(_among("der_id", keys)).delete()
    rows = Der.objects.registered().filter(_among("id", keys))  # the others get no verdict
    insert_select(BrokenRule._meta.db_table, ("der_id", *COLUMNS), [broken(test, rows) for test in DERS])
    bought = current().services()
    params = {
        "keys": None if keys is None else list(keys),
        "now": timezone.now(),
        "edcs": [edc for edc, _, _ in bought],
        "buyers": [buyer for _, buyer, _ in bought],
        "services": [service for _, _, service in bought],
    }
    return run_sql("drop_verdicts_of_ders", params) + run_sql("verdicts_of_ders", params)


def broken(test: Test, rows: QuerySet) -> QuerySet:
    """The rows that break a rule, as values of BrokenRule: one pass over them."""
    conditions = test.conditions()
    found = rows.filter(any_of(conditions)).order_by().annotate(broken_value=value_of(test.rule, rows.model), broken_limit=test.limit())
    code = Cast(Value(test.rule.code), TextField())
    if rows.model is Offer:
        service = Cast(F("service_id"), TextField())
        found = found.annotate(broken_code=code, broken_services=_array(service))
        return found.values_list("aggregation_id", *BROKEN)
    found = found.annotate(broken_code=code, broken_services=test.barred(conditions))
    return found.values_list("pk", *BROKEN)


def _array(value) -> Func:
    return Func(value, template="ARRAY[%(expressions)s]", output_field=ArrayField(TextField()))


def aggregations_judged(keys: Sequence[int] | None) -> int:
    """Judge what aggregations offer, after their members; returns how many of their verdicts changed."""
    params = {"keys": None if keys is None else list(keys), "today": timezone.localdate(), "now": timezone.now()}
    Offer.objects.filter(_among("aggregation_id", keys)).delete()
    run_sql("offers", params)
    BrokenRule.objects.of_aggregations().filter(_among("aggregation_id", keys)).delete()
    rows = Offer.objects.filter(_among("aggregation_id", keys))
    insert_select(BrokenRule._meta.db_table, ("aggregation_id", *COLUMNS), [broken(test, rows) for test in OFFERS])
    return run_sql("drop_verdicts_of_aggregations", params) + run_sql("verdicts_of_aggregations", params)
