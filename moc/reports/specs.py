"""A report's definition as data: columns, filters, grouping, measures, sort, chart. Read from JSON, checked against its dataset."""

from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from django.db.models import Q
from django.utils import timezone

from moc.errors import UserError
from moc.portal.moments import day_of, moment_of
from moc.reports.datasets import BOOLEAN, CODE, DATE, DAYS, DECIMAL, FLOAT, INTEGER, LIST, MOMENT, NUMBERS, TEXT, Dataset, Item

PERIODS = ("day", "month", "quarter", "year")
MEASURES = {"count": "Count", "sum": "Sum", "average": "Average", "share": "Share (%)", "percentile": "Percentile"}
CHARTS = {"": "None", "bars": "Bars", "columns": "Columns"}
MOST_FILTERS, MOST_GROUPS, MOST_MEASURES = 20, 5, 10

# test → (what it says, kinds of items that it fits, lookup)
TESTS = {
    "is": ("is", {TEXT, CODE, INTEGER, DECIMAL, FLOAT, BOOLEAN, DATE}, "exact"),
    "is_not": ("is not", {TEXT, CODE}, "exact"),
    "contains": ("contains", {TEXT}, "icontains"),
    "has": ("has", {LIST}, "contains"),
    "at_least": ("is at least", {INTEGER, DECIMAL, FLOAT}, "gte"),
    "at_most": ("is at most", {INTEGER, DECIMAL, FLOAT}, "lte"),
    "from": ("from", {DATE, MOMENT}, "gte"),
    "before": ("before", {DATE, MOMENT}, "lt"),
    "last_days": ("within the last … days", {DATE, MOMENT}, "gte"),
    "empty": ("is empty", {TEXT, CODE, INTEGER, DECIMAL, FLOAT, DATE, MOMENT, BOOLEAN}, ""),
    "given": ("is given", {TEXT, CODE, INTEGER, DECIMAL, FLOAT, DATE, MOMENT, BOOLEAN}, ""),
}


class Unfit(UserError):
    """A definition that its dataset cannot answer."""

    code = "REPORT-SPEC"


@dataclass(frozen=True)
class Group:
    """What rows are grouped by: an item, of days a period of them."""

    item: str
    period: str = ""

    @property
    def text(self) -> str:
        return f"{self.item}:{self.period}" if self.period else self.item


@dataclass(frozen=True)
class Measure:
    """What is said of a group: `of` is one of MEASURES, `item` what is counted up, `p` the percentile."""

    of: str
    item: str = ""
    p: int = 50


@dataclass(frozen=True)
class Filter:
    """Rows whose item meets a test."""

    item: str
    test: str
    value: str = ""


@dataclass(frozen=True)
class Spec:
    """A checked definition. `sort` is a column's name, "m1", "m2" … of a measure; a minus turns it round."""

    columns: tuple[str, ...] = ()
    group: tuple[Group, ...] = ()
    measures: tuple[Measure, ...] = ()
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    chart: str = ""
    as_of: str = ""
    valid_on: str = ""
    parameters: dict = field(default_factory=dict)

    def data(self) -> dict:
        """As JSON."""
        found = asdict(self)
        found["group"] = [group.text for group in self.group]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items() if value}

    @property
    def moment(self):
        """The past moment that it asks for; None for the present."""
        return moment_of(self.as_of)

    @property
    def valid_day(self) -> date | None:
        """The day on which the rows are to hold; None for all of them."""
        return day_of(self.valid_on)


def read(data: dict, dataset: Dataset) -> Spec:
    """A definition from JSON, checked against its dataset. Raises Unfit or NoSuch with what is wrong."""
    if not isinstance(data, dict) or set(data) - set(Spec.__dataclass_fields__):
        raise Unfit("This is no definition of a report.", f"It has {', '.join(Spec.__dataclass_fields__)}.")
    try:
        spec = Spec(
            columns=tuple(map(str, data.get("columns", ()))),
            group=tuple(Group(*str(text).partition(":")[::2]) for text in data.get("group", ())),
            measures=tuple(Measure(**each) for each in data.get("measures", ())),
            filters=tuple(Filter(**{name: str(value) for name, value in each.items()}) for each in data.get("filters", ())),
            sort=str(data.get("sort", "")),
            chart=str(data.get("chart", "")),
            as_of=str(data.get("as_of", "")),
            valid_on=str(data.get("valid_on", "")),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise Unfit("This is no definition of a report.", "Compare it with one that the builder made.") from error
    check(spec, dataset)
    return spec


def check(spec: Spec, dataset: Dataset) -> None:
    """Raise Unfit for what the dataset cannot answer."""
    for name in spec.columns:
        dataset.item(name)
    if not spec.columns and not spec.group and not spec.measures:
        raise Unfit("The report shows nothing.", "Choose columns, or a grouping with measures.")
    if spec.columns and (spec.group or spec.measures):
        raise Unfit("A report lists rows, or it groups them.", "Leave out the columns, or the grouping and the measures.")
    if len(spec.filters) > MOST_FILTERS or len(spec.group) > MOST_GROUPS or len(spec.measures) > MOST_MEASURES:
        raise Unfit("The report asks for too much at once.", "Make two reports of it.")
    for group in spec.group:
        _check_group(group, dataset.item(group.item))
    for measure in spec.measures:
        _check_measure(measure, dataset)
    for each in spec.filters:
        condition(dataset.item(each.item), each)
    _check_shape(spec, dataset)


def _check_shape(spec: Spec, dataset: Dataset) -> None:
    if spec.sort.lstrip("-") not in sorts(spec):
        raise Unfit(f"The report cannot be sorted by “{spec.sort}”.", f"Choose from {', '.join(filter(None, sorts(spec)))}.")
    if spec.chart not in CHARTS or (spec.chart and not (spec.group and spec.measures)):
        raise Unfit("There is nothing to draw.", "A chart needs a grouping and a measure.")
    if spec.as_of and (not dataset.keeps_versions or spec.moment is None):
        raise Unfit("The report cannot be asked as of that moment.", "Give a past day, and a dataset that keeps versions.")
    if spec.valid_on and (not dataset.has_valid_time or spec.valid_day is None):
        raise Unfit("The report cannot be asked as valid on that day.", "Give a day, and a dataset of records that hold during days.")


def sorts(spec: Spec) -> list[str]:
    """What the report can be sorted by."""
    return ["", *spec.columns, *[group.text for group in spec.group], *[f"m{number}" for number in range(1, len(spec.measures) + 1)]]


def _check_group(group: Group, item: Item) -> None:
    if not item.groups:
        raise Unfit(f"Rows cannot be grouped by {item.label}.", "Choose another column.")
    if bool(group.period) != (item.kind in DAYS) or (group.period and group.period not in PERIODS):
        raise Unfit(f"Rows are grouped by {item.label} “{group.text}”.", f"Days are grouped by {', '.join(PERIODS)}, others by themselves.")


def _check_measure(measure: Measure, dataset: Dataset) -> None:
    if measure.of not in MEASURES:
        raise Unfit(f"There is no measure “{measure.of}”.", f"Choose from {', '.join(MEASURES)}.")
    if not measure.item and measure.of in ("count", "share"):
        return
    item = dataset.item(measure.item)
    if measure.of != "count" and item.kind not in NUMBERS:
        raise Unfit(f"{item.label} is no number.", f"{MEASURES[measure.of]} needs a column of numbers.")
    if not isinstance(measure.p, int) or not 0 <= measure.p <= 100:
        raise Unfit("A percentile lies between 0 and 100.", "Give a whole number.")


def condition(item: Item, asked: Filter) -> Q:
    """The rows whose item meets the test. Raises Unfit for a test that does not fit, or a value that cannot be read."""
    words, kinds, lookup = TESTS.get(asked.test, ("", set(), ""))
    if item.kind not in kinds:
        raise Unfit(f"{item.label} cannot be tested by “{asked.test}”.", f"Choose from {', '.join(fitting(item))}.")
    if asked.test in ("empty", "given"):
        found = Q(**{f"{item.name}__isnull": True})
        found |= Q(**{item.name: ""}) if item.kind in (TEXT, CODE) else Q()
        return found if asked.test == "empty" else ~found
    value = _value(item, asked)
    found = Q(**{f"{item.name}__{lookup}": value})
    return ~found if asked.test == "is_not" else found


def fitting(item: Item) -> list[str]:
    """The tests that fit an item."""
    return [name for name, (_, kinds, _) in TESTS.items() if item.kind in kinds]


def _value(item: Item, asked: Filter):
    text = asked.value.strip()
    try:
        if asked.test == "last_days":
            return timezone.localdate() - timedelta(days=int(text))
        return {
            INTEGER: int,
            DECIMAL: _decimal,
            FLOAT: _decimal,
            BOOLEAN: lambda word: {"yes": True, "no": False}[word.lower()],
            DATE: date.fromisoformat,
            MOMENT: lambda word: timezone.make_aware(timezone.datetime.fromisoformat(word)),
            LIST: lambda word: [word],
        }.get(item.kind, _text)(text)
    except (ValueError, KeyError, OverflowError, InvalidOperation):
        expected = {BOOLEAN: "yes or no", DATE: "a day such as 2026-05-14", MOMENT: "a day such as 2026-05-14"}.get(item.kind, "a number")
        raise Unfit(f"“{text[:40]}” is no value of {item.label}.", f"Give {expected}.") from None


def _decimal(text: str) -> Decimal:
    found = Decimal(text)
    if not found.is_finite() or abs(found) >= 10**18:
        raise ValueError
    return found


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError
    return text
