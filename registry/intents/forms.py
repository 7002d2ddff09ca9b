"""Forms of notices of intent: rows as lines of texts, as they come from a spreadsheet."""

from decimal import Decimal, InvalidOperation

from django import forms
from django.core.exceptions import ValidationError

from moc.access import policy
from moc.access.models import Organization
from registry.intents.models import IntentNotice
from registry.intents.services import Known, Stated


def lines_field(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(label=label, max_length=100_000, widget=forms.Textarea(attrs={"rows": 10}), help_text=help_text)


def cells(text: str, least: int, most: int) -> list[list[str]]:
    """The cells of each line that is not empty. Raises ValidationError naming a line of another width."""
    found = [[cell.strip() for cell in line.split(";")] for line in text.splitlines() if line.strip()]
    for number, row in enumerate(found, start=1):
        if not least <= len(row) <= most:
            raise ValidationError(f"Line {number} has {len(row)} cells; give {least} to {most}, with semicolons between them.")
    return [row + [""] * (most - len(row)) for row in found]


class StatedForm(forms.Form):
    """What the aggregator states of each DER."""

    points = lines_field("DERs", "one a line: your id; technology; kW; service point; account with the utility; address")

    def clean_points(self) -> list[Stated]:
        found = []
        for number, row in enumerate(cells(self.cleaned_data["points"], 5, 6), start=1):
            reference, der_type, power, place, account, address = row
            try:
                kw = Decimal(power)
            except InvalidOperation as error:
                raise ValidationError(f"Line {number}: “{power}” is no number of kW.") from error
            found.append(Stated(reference, der_type, kw, place, account, address))
        return found


class NewIntentForm(StatedForm):
    """To which utility, in whose name."""

    aggregator = forms.ModelChoiceField(queryset=Organization.objects.none(), empty_label=None)
    edc = forms.ModelChoiceField(
        Organization.objects.filter(kind=Organization.Kind.EDC, is_active=True).order_by("name"), label="Utility", empty_label=None
    )
    title = forms.CharField(max_length=120, help_text="your own name for it")
    field_order = ["aggregator", "edc", "title", "points"]

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["aggregator"].queryset = mine = filers_of(user)
        found = list(mine[:2])
        if len(found) == 1:
            self.fields["aggregator"].required, self.fields["aggregator"].widget, self.only = False, forms.HiddenInput(), found[0]

    only = None

    def clean_aggregator(self):
        return self.only or self.cleaned_data["aggregator"]


class KnownForm(forms.Form):
    """What the utility knows of each DER that is open."""

    points = lines_field(
        "Answers", "one a line: the id; service point; account there; remark. Both, or a remark of what you know otherwise."
    )

    def __init__(self, *args, notice: IntentNotice, **kwargs):
        lines = [f"{point.reference}; {point.usage_point_id}; ; " for point in notice.points.open()]
        super().__init__(*args, initial={"points": "\n".join(lines)}, **kwargs)

    def clean_points(self) -> list[Known]:
        return [Known(*row) for row in cells(self.cleaned_data["points"], 1, 4)]


class CorrectForm(StatedForm):
    """The DERs that differ, stated anew."""

    def __init__(self, *args, notice: IntentNotice, **kwargs):
        lines = [
            f"{point.reference}; {point.der_type}; {point.nameplate_ac_kw.normalize():f}; {place_of(point)}; ; {point.premise_address}"
            for point in notice.points.differing().select_related("service_point")
        ]
        super().__init__(*args, initial={"points": "\n".join(lines)}, **kwargs)


def place_of(point) -> str:
    """The utility's service point where it named one, else the stated one."""
    return point.service_point.usage_point_id if point.service_point else point.usage_point_id


def filers_of(user):
    """The aggregators in whose name the user files."""
    mine = policy.reach(user, "file_ders")
    return Organization.objects.filter(pk__in=mine, kind=Organization.Kind.AGGREGATOR, is_active=True).order_by("name")
