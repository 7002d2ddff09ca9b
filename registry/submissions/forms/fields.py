"""From a model's field to a form's: the DER form has no list of fields of its own."""

import json
from decimal import Decimal

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.db import models

from registry.ders.dictionary import FIELDS
from registry.participants.models import UtilityProfile
from registry.submissions.personal import filed_field

HELP = {
    "utility_id_eia": "the utility that serves the service point",
    "usage_point_id": "the utility's id of the service point; it is on the customer's bill",
    "county_fips": "five digits; may stay empty, the service point knows it",
    "latitude": "degrees north, such as 40.884",
    "longitude": "degrees east, such as −74.562",
}
REMOVE = "-"  # written in the place of a personal value, which is not shown, it removes it
REQUIRED_HINT = "Required for submission."


class Words(forms.CharField):
    """Several words or codes, separated by semicolons."""

    def prepare_value(self, value):
        return "; ".join(value) if isinstance(value, list) else value

    def to_python(self, value) -> list[str]:
        return [word for part in (value or "").split(";") if (word := part.strip())]

    def validate(self, value) -> None:
        if any(len(word) > self.longest for word in value):
            raise forms.ValidationError(f"Each word has at most {self.longest} characters.")

    def __init__(self, *, longest: int, **kwargs):
        self.longest = longest
        super().__init__(**kwargs)


class Quantity(forms.DecimalField):
    """A number, written without the zeros that the database fills it up with."""

    def prepare_value(self, value):
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value


class Email(forms.EmailField):
    """An e-mail address, or the word that removes one."""

    def clean(self, value):
        return value if value == REMOVE else super().clean(value)


class Json(forms.JSONField):
    """JSON in a text area, written with indents."""

    widget = forms.Textarea(attrs={"rows": 4, "spellcheck": "false"})

    def prepare_value(self, value):
        if value is None or isinstance(value, (str, forms.fields.InvalidJSONInput)):
            return value or ""
        return json.dumps(value, indent=1, ensure_ascii=False)


def form_field(name: str) -> forms.Field:
    """The form's field of a filing column. None is required here but the id: a draft may be incomplete, the rules say what is missing."""
    field = filed_field(name)
    label = str(field.verbose_name)
    common = {"label": label[:1].upper() + label[1:], "required": name == "external_id", "help_text": _help(name, field)}
    if name == "utility_id_eia":
        return forms.TypedChoiceField(choices=utilities, coerce=int, empty_value=None, **common)
    if isinstance(field, ArrayField):
        return _several(field, common)
    if isinstance(field, models.JSONField):
        return Json(**common)
    if isinstance(field, models.BooleanField):
        return forms.NullBooleanField(**common)
    if isinstance(field, models.DateField):
        return forms.DateField(widget=forms.DateInput(format="%Y-%m-%d"), **common)
    if isinstance(field, models.DecimalField):
        return Quantity(max_digits=field.max_digits, decimal_places=field.decimal_places, widget=_decimal(), **common)
    if isinstance(field, models.IntegerField):
        return forms.IntegerField(min_value=0, max_value=32767 if "Small" in type(field).__name__ else 2**31 - 1, **common)
    if field.choices:
        return forms.ChoiceField(choices=[("", "Not given"), *field.choices], **common)
    kind = Email if isinstance(field, models.EmailField) else forms.CharField
    return kind(max_length=field.max_length, **common)


def _several(field: ArrayField, common: dict) -> forms.Field:
    if field.base_field.choices:
        return forms.MultipleChoiceField(choices=field.base_field.choices, widget=forms.CheckboxSelectMultiple, **common)
    return Words(
        longest=field.base_field.max_length, **common | {"help_text": f"{common['help_text']} Separate several by semicolons.".strip()}
    )


def _decimal() -> forms.Widget:
    return forms.TextInput(attrs={"inputmode": "decimal"})


def _help(name: str, field: models.Field) -> str:
    words = [HELP.get(name, str(field.help_text))]
    if FIELDS[name].required:
        words.insert(0, REQUIRED_HINT)
    if FIELDS[name].example and not field.choices and not isinstance(field, ArrayField) and name not in HELP:
        words.append(f"Such as {FIELDS[name].example}.")
    return " ".join(word[:1].upper() + word[1:] for word in words if word)


def utilities() -> list[tuple]:
    """The utilities of the registry by EIA id."""
    known = UtilityProfile.objects.select_related("edc").order_by("edc__name")
    return [("", "Not given"), *[(profile.eia_id, f"{profile.edc.name} ({profile.eia_id})") for profile in known]]
