"""The builder as a form: numbered rows of groups, measures and filters, all on one page, so that it needs no script."""

from django import forms

from moc.access.models import Organization
from moc.errors import UserError
from moc.reports import specs
from moc.reports.datasets import DAYS, NUMBERS, Dataset, Ready
from moc.reports.models import Format, ReportDefinition

GROUPS, MEASURES, FILTERS = 3, 4, 5
NONE = ("", "–")
DATED = ("as_of", "valid_on")
WHEN = ("name", "about", "is_shared", "format", "every", "ways")


class RunForm(forms.Form):
    """In which format, and for which of the user's organisations."""

    organization = forms.ModelChoiceField(Organization.objects.none(), label="Organization", empty_label=None)
    format = forms.ChoiceField(choices=Format.choices)

    def __init__(self, *args, organizations, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["organization"]
        field.queryset = organizations
        only = list(organizations[:2])
        field.initial = only[0] if only else None
        if len(only) == 1:
            field.widget = forms.HiddenInput()


class ReadyForm(RunForm):
    """The parameters of a ready-made report."""

    def __init__(self, *args, source: Ready, **kwargs):
        super().__init__(*args, **kwargs)
        self.source = source
        fields = {
            each.name: forms.CharField(label=each.label, required=False, max_length=40, initial=each.default())
            for each in source.parameters
        }
        self.fields = fields | self.fields

    def spec(self) -> dict:
        """What was asked; what was left empty has its default when the report is run."""
        given = {each.name: self.cleaned_data.get(each.name) for each in self.source.parameters}
        return {"parameters": {name: value for name, value in given.items() if value}}


class KeptForm(RunForm):
    """How a saved report is called, shared, scheduled and delivered."""

    name = forms.CharField(max_length=120)
    about = forms.CharField(label="What it is for", max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 2}))
    is_shared = forms.BooleanField(label="Shared with the organization", required=False, initial=True)
    every = forms.ChoiceField(label="Runs by itself", choices=ReportDefinition.Every.choices, required=False)
    ways = forms.MultipleChoiceField(
        label="Delivered by", choices=ReportDefinition.Way.choices, required=False, widget=forms.CheckboxSelectMultiple, initial=["inbox"]
    )

    def kept(self) -> dict:
        """What the service takes beside the definition."""
        return {name: self.cleaned_data[name] for name in WHEN}


class KeptReadyForm(KeptForm, ReadyForm):
    """A ready-made report with its parameters, saved."""


class BuilderForm(KeptForm):
    """A report on a dataset."""

    def __init__(self, *args, source: Dataset, **kwargs):
        super().__init__(*args, **kwargs)
        self.source = source
        built = self._columns() | self._groups() | self._measures() | self._filters() | self._shape()
        for each in built.values():
            each.required = False
        self.fields = built | self.fields

    def _columns(self) -> dict:
        choices = [(item.name, item.label) for item in self.source.items.values()]
        help_text = "of each row; none where rows are grouped"
        field = forms.MultipleChoiceField(label="Columns", choices=choices, widget=forms.CheckboxSelectMultiple, help_text=help_text)
        return {"columns": field}

    def _groups(self) -> dict:
        choices = [NONE]
        for item in self.source.items.values():
            if item.kind in DAYS:
                choices += [(f"{item.name}:{period}", f"{item.label}, by {period}") for period in specs.PERIODS]
            elif item.groups:
                choices.append((item.name, item.label))
        return {f"group_{n}": forms.ChoiceField(label=f"Group {n}", choices=choices) for n in range(1, GROUPS + 1)}

    def _measures(self) -> dict:
        numbers = [NONE, *((item.name, item.label) for item in self.source.items.values() if item.kind in NUMBERS)]
        found = {}
        for n in range(1, MEASURES + 1):
            found[f"measure_{n}"] = forms.ChoiceField(label=f"Measure {n}", choices=[NONE, *specs.MEASURES.items()])
            found[f"of_{n}"] = forms.ChoiceField(label="of", choices=numbers)
            found[f"p_{n}"] = forms.IntegerField(label="percentile", min_value=0, max_value=100)
        return found

    def _filters(self) -> dict:
        items = [NONE, *((item.name, item.label) for item in self.source.items.values())]
        tests = [NONE, *((name, words) for name, (words, _, _) in specs.TESTS.items())]
        found = {}
        for n in range(1, FILTERS + 1):
            found[f"filter_{n}"] = forms.ChoiceField(label=f"Filter {n}", choices=items)
            found[f"test_{n}"] = forms.ChoiceField(label="test", choices=tests)
            found[f"value_{n}"] = forms.CharField(label="value", max_length=100)
        return found

    def _shape(self) -> dict:
        named = [(item.name, item.label) for item in self.source.items.values()]
        named += [(text, words) for text, words in self._groups()["group_1"].choices if ":" in text]
        named += [(f"m{n}", f"Measure {n}") for n in range(1, MEASURES + 1)]
        sorts = [NONE, *((sign + name, f"{label}{words}") for name, label in named for sign, words in (("", ""), ("-", ", descending")))]
        found = {"sort": forms.ChoiceField(label="Sort by", choices=sorts)}
        found["chart"] = forms.ChoiceField(label="Chart of the first measure", choices=specs.CHARTS.items())
        day = {"widget": forms.DateInput(attrs={"type": "date"})}
        if self.source.keeps_versions:
            found["as_of"] = forms.DateField(label="As recorded at the end of", help_text="empty: now", **day)
        if self.source.has_valid_time:
            found["valid_on"] = forms.DateField(label="As valid on", help_text="empty: whenever they hold", **day)
        return found

    def clean(self) -> dict:
        """The definition must be one that the dataset can answer."""
        super().clean()
        if not self.errors:
            try:
                self.read = specs.read(self.spec(), self.source)
            except UserError as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
        return self.cleaned_data

    def spec(self) -> dict:
        """The definition as JSON."""
        said = self.cleaned_data
        measures = [self._measure(n) for n in range(1, MEASURES + 1) if said.get(f"measure_{n}")]
        filters = [
            {"item": said[f"filter_{n}"], "test": said.get(f"test_{n}") or "is", "value": said.get(f"value_{n}") or ""}
            for n in range(1, FILTERS + 1)
            if said.get(f"filter_{n}")
        ]
        found = {
            "columns": said["columns"],
            "group": [said[f"group_{n}"] for n in range(1, GROUPS + 1) if said.get(f"group_{n}")],
            "measures": measures,
            "filters": filters,
            "sort": said["sort"],
            "chart": said["chart"],
            **{name: said[name].isoformat() for name in DATED if said.get(name)},
        }
        return {name: value for name, value in found.items() if value}

    def _measure(self, n: int) -> dict:
        said = self.cleaned_data
        measure = {"of": said[f"measure_{n}"]}
        if said.get(f"of_{n}"):
            measure["item"] = said[f"of_{n}"]
        if measure["of"] == "percentile" and said.get(f"p_{n}") is not None:
            measure["p"] = said[f"p_{n}"]
        return measure

    def laid_out(self) -> list[tuple]:
        """[(legend, help, fields)] for the page."""
        rows = {name: [self[each] for each in self.fields if each.startswith(name)] for name in ("group_", "sort", "chart", *DATED)}
        measured = [self[f"{name}_{n}"] for n in range(1, MEASURES + 1) for name in ("measure", "of", "p")]
        filtered = [self[f"{name}_{n}"] for n in range(1, FILTERS + 1) for name in ("filter", "test", "value")]
        return [
            ("Which rows", "A row is shown that meets every filter. Days are written as 2026-05-14.", filtered),
            ("Grouped", "Groups and what is said of each; leave this out to list rows.", [*rows["group_"], *measured]),
            ("Listed", "Columns of each row, where nothing is grouped.", [self["columns"]]),
            ("How it looks", "", [*rows["sort"], *rows["chart"], *(each for name in DATED for each in rows[name])]),
            *kept_fields(self),
        ]


def kept_fields(form: KeptForm) -> list[tuple]:
    """The part of a form that says how a report is kept: [(legend, help, fields)]."""
    return [("Save and deliver", "", [form[name] for name in (*WHEN, "organization") if not form[name].is_hidden])]


def initial_of(spec: dict) -> dict:
    """The builder's fields from a definition."""
    found = {name: spec[name] for name in ("columns", "sort", "chart", *DATED) if name in spec}
    found |= {f"group_{n}": text for n, text in enumerate(spec.get("group", ()), 1)}
    for n, measure in enumerate(spec.get("measures", ()), 1):
        found |= {f"measure_{n}": measure["of"], f"of_{n}": measure.get("item", ""), f"p_{n}": measure.get("p", 50)}
    for n, each in enumerate(spec.get("filters", ()), 1):
        found |= {f"filter_{n}": each["item"], f"test_{n}": each["test"], f"value_{n}": each.get("value", "")}
    return found | spec.get("parameters", {})
