"""Forms of reconfigurations: what moves where, and the question what held when."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from moc.access.models import Organization
from moc.portal.moments import moment_of
from registry.grid.forms import utilities_of
from registry.grid.models import Feeder, Substation, Transformer

MOST_LISTED = 10_000
FROM = {"feeder": ("from_feeder", Feeder), "transformer": ("from_transformer", Transformer)}
TO = {"feeder": ("to_feeder", Feeder), "transformer": ("to_transformer", Transformer), "substation": ("to_substation", Substation)}


class ReconfigurationForm(forms.Form):
    """What moves, by the utility's own codes."""

    edc = forms.ModelChoiceField(label="Utility", queryset=Organization.objects.none(), empty_label=None)
    source = forms.ChoiceField(
        label="What moves",
        choices=(("feeder", "All service points of a feeder"), ("transformer", "Those of a transformer"), ("points", "Those listed below")),
        widget=forms.RadioSelect,
        initial="feeder",
    )
    source_code = forms.CharField(label="Code of that feeder or transformer", max_length=40, required=False)
    points = forms.CharField(
        label="Service points", required=False, widget=forms.Textarea(attrs={"rows": 4}), help_text="one on each line, at most 10,000"
    )
    destination = forms.ChoiceField(
        label="To",
        choices=(("feeder", "A feeder"), ("transformer", "A transformer"), ("substation", "A substation, which feeds the whole feeder")),
        widget=forms.RadioSelect,
        initial="feeder",
    )
    destination_code = forms.CharField(label="Code of that feeder, transformer or substation", max_length=40)
    starts_on = forms.DateField(
        label="Connected so from",
        help_text="the first day; today or before",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    reason = forms.CharField(max_length=300, help_text="aggregators with DERs there read it")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, initial={"starts_on": timezone.localdate()}, **kwargs)
        self.fields["edc"].queryset = mine = utilities_of(user)
        found = list(mine[:2])
        if len(found) == 1:
            self.fields["edc"].required, self.fields["edc"].widget, self.only = False, forms.HiddenInput(), found[0]

    only = None

    def clean_edc(self):
        return self.only or self.cleaned_data["edc"]

    def clean_points(self) -> list[str]:
        """The ids, without empty lines."""
        points = [line.strip() for line in self.cleaned_data["points"].splitlines() if line.strip()]
        if len(points) > MOST_LISTED:
            raise ValidationError(f"These are {len(points):,} service points. Give at most {MOST_LISTED:,}.")
        return points

    def clean(self) -> dict:
        """Codes name records of the utility."""
        data = super().clean()
        self.places = {}
        if "edc" in data and "source" in data and "destination" in data:
            if data["source"] in FROM:
                self._find("source_code", *FROM[data["source"]])
            self._find("destination_code", *TO[data["destination"]])
        return data

    def _find(self, field: str, name: str, model) -> None:
        found = model.objects.filter(edc=self.cleaned_data["edc"], code=self.cleaned_data.get(field, "")).first()
        if found is None and field not in self.errors:
            self.add_error(field, f"The utility has no {model._meta.verbose_name} with this code.")
        self.places[name] = found

    def act(self) -> dict:
        """The arguments of `acts.prepare`."""
        given = self.cleaned_data
        points = given["points"] if given["source"] == "points" else ()
        return {name: given[name] for name in ("edc", "reason", "starts_on")} | {"usage_points": points} | self.places


class WhenForm(forms.Form):
    """A service point, a day, and a moment until which was known what is asked."""

    usage_point_id = forms.CharField(label="Service point", max_length=40)
    day = forms.DateField(label="What held on", widget=forms.DateInput(attrs={"type": "date"}))
    known = forms.CharField(
        label="As known at the end of", required=False, help_text="empty: as known now", widget=forms.DateInput(attrs={"type": "date"})
    )

    def clean_known(self):
        """The moment that the day ends; now where none is given."""
        text = self.cleaned_data["known"]
        moment = moment_of(text) if text else timezone.now()
        if moment is None:
            raise ValidationError("Give a day that is over, or none.")
        return moment
