"""A rule says the same of one row, of some and of all; what is unknown violates nothing."""

import pytest
from django.db.models import Count, F, Q

from moc import rules
from moc.history import acting
from registry.grid.models import County

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    """The rules of these tests are not those of the platform."""
    monkeypatch.setattr(rules, "registry", {})


@pytest.fixture
def counties() -> None:
    facts = [("34001", "Atlantic", 5), ("34003", "Bergen", 50), ("34005", "Bergen", None), ("34007", "", 500)]
    with acting(None, "system: test"):
        County.objects.bulk_create(County(fips=fips, name=name, state="NJ", population=count) for fips, name, count in facts)


def few() -> rules.Rule:
    return rules.condition("FEW", Q(population__lt=10), "A county has ten people.", remedy="Count again.", columns=("population",))


def nameless() -> rules.Rule:
    return rules.condition("NAMELESS", Q(name=""), "A county has a name.", remedy="Name it.", columns=("name",), severity=rules.WARNING)


def twins() -> rules.Rule:
    @rules.rule("TWINS", remedy="Rename one of them.", columns=("name",), cites="¶1")
    def same_name(rows):
        """Two counties of a state
        do not share a name."""
        again = rows.order_by().values("name").annotate(times=Count("pk")).filter(times__gt=1).values("name")
        return rows.filter(name__in=again)

    return same_name


def test_findings_name_row_rule_and_value(counties):
    found = rules.check(County.objects.all(), [few(), nameless()])
    assert [(each.pk, each.rule.code, each.rule.severity, each.value) for each in found] == [
        ("34001", "FEW", "error", "5"),
        ("34007", "NAMELESS", "warning", ""),
    ]


def test_what_is_unknown_violates_nothing(counties):
    low = few()
    high = rules.condition(
        "MANY", Q(population__gt=F("population") - 1) & Q(population__gte=10), "Few.", remedy="x", columns=("population",)
    )
    assert "34005" not in {each.pk for each in rules.check(County.objects.all(), [low, high])}


def test_one_row_some_rows_and_all_rows_get_the_same_findings(counties):
    checked = [few(), nameless()]

    def found(rows):
        return {(each.pk, each.rule.code, each.value) for each in rules.check(rows, checked)}

    everything = found(County.objects.all())
    one_by_one = set().union(*(found(County.objects.filter(pk=county.pk)) for county in County.objects.all()))
    halves = found(County.objects.filter(pk__lt="34004")) | found(County.objects.filter(pk__gte="34004"))
    assert everything == one_by_one == halves


def test_a_rule_over_several_rows_is_a_function_whose_docstring_is_the_sentence(counties):
    rule = twins()
    assert rule.sentence == "Two counties of a state do not share a name."
    assert (rule.cites, rule.severity, rule.column) == ("¶1", rules.ERROR, "name")
    assert sorted(each.pk for each in rules.check(County.objects.all(), [rule])) == ["34003", "34005"]
    assert rules.check(County.objects.filter(pk="34003"), [rule]) == []
    assert set(rule(County.objects.all()).values_list("pk", flat=True)) == {"34003", "34005"}


def test_violations_are_querysets_to_be_inserted_as_a_set(counties, django_assert_num_queries):
    queries = list(rules.violations(County.objects.order_by("name"), [few(), twins()]))
    with django_assert_num_queries(2):
        rows = [row for query in queries for row in query]
    assert sorted(rows) == [
        ("34001", "FEW", "error", "population", "5"),
        ("34003", "TWINS", "error", "name", "Bergen"),
        ("34005", "TWINS", "error", "name", "Bergen"),
    ]


def test_suspects_are_the_rows_that_some_condition_meets(counties):
    assert set(rules.suspects(County.objects.all(), [few(), nameless()]).values_list("pk", flat=True)) == {"34001", "34007"}


def test_a_rule_without_a_column_blames_the_row(counties):
    rule = rules.condition("ROW", Q(name="Atlantic"), "Not Atlantic.", remedy="Move.", columns=())
    assert [(each.pk, each.value) for each in rules.check(County.objects.all(), [rule])] == [("34001", "")]


def test_a_code_is_registered_once_with_sentence_and_remedy():
    few()
    with pytest.raises(ValueError, match="FEW"):
        few()
    with pytest.raises(ValueError, match="lacks"):
        rules.condition("SILENT", Q(name=""), "", remedy="x", columns=())
    with pytest.raises(ValueError, match="lacks"):
        rules.rule("MUTE", remedy="x", columns=())(lambda rows: rows)


def test_what_is_found_while_reading_is_no_rule_over_rows():
    found = rules.reading("TYPE", "A number has digits.", remedy="Write digits.")
    assert not found.over_rows and few().over_rows and twins().over_rows
