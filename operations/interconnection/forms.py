"""Forms of interconnection: what is studied, which filing it decides, and what an inverter was read to have."""

import json
import re
from math import isfinite

from django import forms

from operations.interconnection.models import SettingsReadback
from operations.interconnection.services.ordering import MOST_KW
from operations.interconnection.services.reading_back import LIMITS
from operations.network.forms import OfFeeder
from operations.outages.forms import moment
from registry.ders import inverters
from registry.ders.choices import DerType, technologies
from registry.ders.forms import OwnDer
from registry.submissions.models import StagedDer


def kilo(label: str, **kwargs) -> forms.DecimalField:
    """A power in kW or kVA."""
    return forms.DecimalField(label=label, min_value=0, max_value=MOST_KW, max_digits=8, decimal_places=3, **kwargs)


def written(points: list) -> str:
    """A curve as people write it: "0.92 0.44; 0.98 0"."""
    return "; ".join(f"{volt:g} {value:g}" for volt, value in points)


class Curve(forms.CharField):
    """Points of a curve, "0.92 0.44; 0.98 0", also one a line, with commas between the numbers, or in brackets; or as JSON."""

    def __init__(self, *, value: str, example: list, **kwargs):
        self.example = written(example)
        words = f"points of voltage and {value}, per unit, such as {self.example} (category B)"
        super().__init__(required=False, help_text=words, widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}), **kwargs)

    def to_python(self, value) -> list | None:
        text = super().to_python(value)
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            said = None
        if isinstance(said, list):
            return said or None
        points = [point for part in re.split(r"[;\n)\]]", text) if (point := part.strip(" \t\r,[("))]
        return [self._point(number, point) for number, point in enumerate(points, start=1)] or None

    def _point(self, number: int, text: str) -> list[float]:
        try:
            volt, value = (float(each) for each in re.split(r"[\s,]+", text))
            if not isfinite(volt + value):
                raise ValueError(text)
        except ValueError:
            said = f"Point {number}, “{text[:40]}”, is not two numbers. Write voltage and value with a blank between them, and a semicolon"
            raise forms.ValidationError(f"{said} after each point: {self.example}", code="invalid") from None
        return [volt, value]


class Settings(forms.Form):
    """Settings of IEEE 1547-2018, one field each; empty ones are off."""

    volt_var = Curve(label="Volt-var curve", value="reactive power of the kVA", example=inverters.VOLT_VAR)
    volt_watt = Curve(label="Volt-watt curve", value="active power of the kW", example=inverters.VOLT_WATT)
    power_factor = forms.FloatField(label="Fixed power factor", required=False, help_text="0.8 to 1; with a minus sign: absorbing")
    max_w = forms.FloatField(label="Maximum active power (% of the rated)", required=False, min_value=0, max_value=100)

    def clean(self) -> dict:
        """The settings as one object; what is wrong with one is said at its field."""
        data = super().clean()
        said = {name: data.pop(name, None) for name in inverters.KINDS}
        try:
            data["inverter_settings"] = inverters.checked(said)
        except inverters.WrongSettings as wrong:
            example = getattr(self.fields[wrong.field], "example", "")
            self.add_error(wrong.field, f"{wrong.sentence} {f'Such as {example}' if example else ''}".strip())
        return data


class StudyForm(Settings, OfFeeder):
    """A new DER and its place. Settings are those of IEEE 1547-2018; empty ones are off."""

    title = forms.CharField(label="Project", max_length=120)
    service_point = forms.CharField(label="Service point", max_length=40, required=False, help_text="its id; or a bus and phases below")
    bus = forms.CharField(label="Bus", max_length=120, required=False, help_text="of the feeder's network")
    phases = forms.CharField(label="Phases", max_length=5, required=False, help_text="such as A, BC or ABC; of the bus")
    technology = forms.ChoiceField(choices=technologies, initial=DerType.PHOTOVOLTAIC)
    rated_kw = kilo("Rated power (kW)", help_text="what it injects at the most")
    rated_kva = kilo("Rated apparent power (kVA)")
    charge_kw = kilo("Maximum charge (kW)", initial=0, help_text="what it draws at the most; 0: nothing")
    accepted_percent = forms.FloatField(
        label="Accepted curtailment (% of a year's energy)", min_value=0, max_value=100, initial=5, help_text="for the flexible limit"
    )
    field_order = "feeder title service_point bus phases technology rated_kw rated_kva charge_kw".split()


class ReadbackForm(Settings, OwnDer):
    """What one inverter was read to have."""

    at = moment("Read at")
    source = forms.ChoiceField(label="Read by", choices=SettingsReadback.Source.choices, widget=forms.RadioSelect, initial="hand")
    export_limit_kw = kilo("Export limit that is set (kW)", required=False)
    import_limit_kw = kilo("Import limit that is set (kW)", required=False)
    field_order = ["der", "at", "source"]

    def clean(self) -> dict:
        """Limits as they are kept."""
        data = super().clean()
        return data | {name: float(data[name]) for name in LIMITS if data.get(name) is not None}


class AdoptForm(forms.Form):
    """Which filed DER is decided as studied."""

    row = forms.ModelChoiceField(StagedDer.objects.none(), label="Filed DER", empty_label=None)
    statement = forms.CharField(
        max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="the aggregator reads it, with the limits"
    )

    def __init__(self, *args, rows, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["row"].queryset = rows.select_related("submission")
        self.fields["row"].label_from_instance = lambda row: f"{row.external_id}, {row.nameplate_ac_kw} kW, of “{row.submission.title}”"
