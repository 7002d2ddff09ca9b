"""The form of one DER, in the steps of the data dictionary."""

from dataclasses import dataclass

from django import forms
from django.utils.text import slugify

from moc.rules import ERROR
from moc.sealed import mark
from registry.ders.dictionary import PERSONAL, by_group
from registry.participants.services import MASK
from registry.submissions.forms.fields import REMOVE, form_field
from registry.submissions.models import StagedDer
from registry.utilities.rules import rule_of

KEPT = f"Filed: {MASK}. Leave empty to keep it, write another to replace it, or {REMOVE} to remove it."


@dataclass(frozen=True)
class Step:
    """One page of the form: a group of the dictionary."""

    slug: str
    label: str
    names: tuple[str, ...]


STEPS = tuple(Step(slugify(group.partition(" (")[0].partition(",")[0]), group, tuple(names)) for group, names in by_group().items())
STEP_OF = {name: step for step in STEPS for name in step.names}


def step_by_slug(slug: str) -> Step | None:
    """The step of a URL; None for one that nobody was given."""
    return next((step for step in STEPS if step.slug == slug), None)


class StepForm(forms.Form):
    """The fields of one step, filled from the row; after a check it shows the row's errors beside their fields."""

    def __init__(self, *args, step: Step, row: StagedDer | None = None, **kwargs):
        super().__init__(*args, initial=values_of(row, step) if row else None, **kwargs)
        self.step = step
        for name in step.names:
            self.fields[name] = form_field(name)
        self.owner = getattr(row, "owner", None)
        for name in self._kept():
            self.fields[name].help_text = KEPT
        if row is not None and not self.is_bound:
            self._show(row)

    def _kept(self) -> list[str]:
        """Personal columns that hold a value: it is not shown, and stays unless another is given."""
        return [name for name in self.fields if name in PERSONAL and self.owner is not None and self.owner.is_filled(name)]

    def clean(self) -> dict:
        values = super().clean()
        for name in self._kept():
            if values.get(name) == "":
                del values[name]
        for name in PERSONAL:
            if values.get(name) == REMOVE:
                values[name] = ""
        return values

    def _show(self, row: StagedDer) -> None:
        """The findings of the row as errors of the fields that they blame."""
        self.full_clean()
        for finding in row.findings.filter(severity=ERROR):
            if finding.column in self.fields:
                self._errors.setdefault(finding.column, self.error_class()).append(sentence_of(finding))


def sentence_of(finding) -> str:
    """A finding as the error of a field: what was given where the field can no longer show it, what is wrong, what to do."""
    rule = rule_of(finding.code)
    given = f"“{finding.value[:80]}”: " if finding.value and not rule.over_rows else ""
    return f"{given}{rule.sentence} {rule.remedy}"


def values_of(row: StagedDer, step: Step) -> dict[str, object]:
    """A row's values by filing column; personal ones stay sealed."""
    return {name: "" if name in PERSONAL else getattr(row, name, "") for name in step.names}


def version_of(row: StagedDer, step: Step | None = None) -> str:
    """Stands for a row's values, those of a step or all: a filed row has no history."""
    values = [values_of(row, each) for each in ([step] if step else STEPS)]
    return mark([sorted((name, str(value)) for name, value in each.items()) for each in values], "version")


def differing(form: StepForm, row: StagedDer) -> list[tuple[str, object, object]]:
    """(label, the row's value, the form's value) of the fields in which they differ."""
    stands = values_of(row, form.step)
    pairs = ((form.fields[name].label, stands[name], value) for name, value in form.cleaned_data.items() if name in stands)
    return [(label, now, mine) for label, now, mine in pairs if (now or "") != (mine or "")]


def steps_with_errors(row: StagedDer | None) -> set[Step]:
    """The steps that hold a field with an error."""
    if row is None:
        return set()
    found = row.findings.filter(severity=ERROR).values_list("column", flat=True)
    return {STEP_OF[name] for name in found if name in STEP_OF}
