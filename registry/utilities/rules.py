"""A utility's review rules as rules of the one engine: the same sentence, remedy and severity as every other, the utility named."""

from datetime import date
from functools import lru_cache

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from moc import rules
from moc.rules import Rule
from registry.ders.choices import Technology
from registry.ders.dictionary import REQUIRED
from registry.ders.models import DerFacts
from registry.utilities.models import ReviewRule

PREFIX = "UTILITY-"
Kind = ReviewRule.Kind
NUMERIC = (models.DecimalField, models.IntegerField)


def _field(name: str) -> models.Field:
    return DerFacts._meta.get_field(name)


def fields_for(kind: str) -> list[str]:
    """The columns of a filing that a demand of this kind can be about."""
    fields = DerFacts._meta.get_fields()
    if kind in (Kind.AT_MOST, Kind.AT_LEAST):
        found = [field for field in fields if isinstance(field, NUMERIC) and field.name not in ("latitude", "longitude")]
    elif kind == Kind.ONE_OF:
        found = [field for field in fields if field.choices]
    elif kind == Kind.INCLUDES:
        found = [field for field in fields if isinstance(field, ArrayField) and field.base_field.choices]
    else:
        found = [field for field in fields if field.name not in REQUIRED]
    return [field.name for field in found]


def codes_of(name: str) -> dict[str, str]:
    """The codes that a column may hold, with their labels; none for a column without."""
    field = _field(name)
    return dict(getattr(field, "base_field", field).flatchoices or ())


def label_of(name: str) -> str:
    """A filing column in words."""
    return str(_field(name).verbose_name)


def code_of(rule: ReviewRule) -> str:
    """The code that findings of a review rule carry."""
    return f"{PREFIX}{rule.edc.slug[:40]}/{rule.pk}"


def as_rule(rule: ReviewRule) -> Rule:
    """A review rule as the engine evaluates it: only rows of its utility violate it."""
    return Rule(
        code=code_of(rule),
        sentence=f"{rule.edc} asks that {demand(rule)}.",
        remedy=rule.remedy,
        columns=(rule.field,),
        cites=f"Review rule of {rule.edc}",
        severity=rule.severity,
        condition=Q(edc_id=rule.edc_id) & _applies(rule) & _violated(rule),
    )


def demand(rule: ReviewRule) -> str:
    """What a review rule asks, in words."""
    label, named = label_of(rule.field), codes_of(rule.field)
    codes = ", ".join(named.get(code, code) for code in rule.codes)
    said = {
        Kind.AT_MOST: f"{label} is at most {_plain(rule.number)}",
        Kind.AT_LEAST: f"{label} is at least {_plain(rule.number)}",
        Kind.REQUIRED: f"{label} is given",
        Kind.ONE_OF: f"{label} is one of: {codes}",
        Kind.INCLUDES: f"{label} include: {codes}",
    }[rule.kind]
    scope = [f"{' and '.join(Technology(code).label.lower() for code in rule.technologies)}"] if rule.technologies else []
    scope += [f"DERs of {_plain(rule.from_kw)} kW and more"] if rule.from_kw else []
    return f"{said}, for {', '.join(scope)}" if scope else said


def _plain(number) -> str:
    return f"{number.normalize():f}" if number is not None else ""


def _applies(rule: ReviewRule) -> Q:
    condition = Q(der_type__in=rule.technologies) if rule.technologies else Q()
    return condition & Q(nameplate_ac_kw__gte=rule.from_kw) if rule.from_kw else condition


def _violated(rule: ReviewRule) -> Q:
    name = rule.field
    if rule.kind == Kind.AT_MOST:
        return Q(**{f"{name}__gt": rule.number})
    if rule.kind == Kind.AT_LEAST:
        return Q(**{f"{name}__lt": rule.number})
    if rule.kind == Kind.ONE_OF:
        return ~Q(**{f"{name}__in": rule.codes})
    if rule.kind == Kind.INCLUDES:
        return ~Q(**{f"{name}__contains": rule.codes})
    field = _field(name)
    return Q(**{f"{name}__isnull": True}) if field.null else Q(**{name: [] if isinstance(field, ArrayField) else ""})


def in_force(day: date) -> list[tuple[int, Rule]]:
    """(utility's id, rule) of all review rules in force on a day."""
    return [(row.edc_id, as_rule(row)) for row in ReviewRule.objects.on(day).select_related("edc")]


def rule_of(code: str) -> Rule:
    """The rule that a finding's code names: one of the registry, or one of a utility, whether or not it is still in force."""
    return _of_utility(int(code.rpartition("/")[2])) if code.startswith(PREFIX) else rules.registry[code]


@lru_cache(maxsize=1024)
def _of_utility(pk: int) -> Rule:
    """A review rule says the same for ever: only the days on which it is in force change."""
    return as_rule(ReviewRule.objects.select_related("edc").get(pk=pk))
