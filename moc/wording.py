"""What a form says of a bad value, with the remedy: in the place of Django's own sentences, which say the rule only. Once, for every form.

Fields copy their class's words when a form is declared, so the app takes these on before any form is imported. A field's own words
still come first, and those of the API are Django REST framework's.
"""

from django import forms
from django.core import validators

CHOICE = "“%(value)s” is not among the choices. Choose one of the list."
WORDS: dict[type[forms.Field], dict[str, str]] = {
    forms.Field: {"required": "Fill this in."},
    forms.BooleanField: {"required": "Tick this to go on."},
    forms.ChoiceField: {"required": "Choose one.", "invalid_choice": CHOICE},
    forms.MultipleChoiceField: {"invalid_choice": CHOICE, "invalid_list": "Choose from the list."},
    forms.ModelChoiceField: {"required": "Choose one.", "invalid_choice": "This is not among the choices. Choose one of the list."},
    forms.ModelMultipleChoiceField: {"invalid_list": "Choose from the list.", "invalid_choice": CHOICE},
    forms.FileField: {"required": "Choose a file.", "invalid": "Choose a file.", "empty": "The file is empty. Choose another one."},
    forms.IntegerField: {"invalid": "Give a whole number, such as 12."},
    forms.FloatField: {"invalid": "Give a number, such as 12.5."},
    forms.DecimalField: {"invalid": "Give a number, such as 12.5."},
    forms.DateField: {"invalid": "Give a day as 2026-11-22."},
    forms.TimeField: {"invalid": "Give a time as 14:30."},
    forms.DateTimeField: {"invalid": "Give a date and time as 2026-11-22 14:30."},
    forms.UUIDField: {"invalid": "This is no id. Give 32 digits and letters a to f, with hyphens, as copied from the page of the record."},
    forms.JSONField: {"invalid": 'This is no JSON. Give it as in {"name": 12.5} or [1, 2]: names and words in double quotes.'},
}
VALIDATORS = (
    (validators.MinValueValidator, "Give %(limit_value)s or more."),
    (validators.MaxValueValidator, "Give %(limit_value)s or less."),
    (validators.MinLengthValidator, "Give at least %(limit_value)d characters; these are %(show_value)d."),
    (validators.MaxLengthValidator, "Give at most %(limit_value)d characters; these are %(show_value)d."),
    (validators.EmailValidator, "Give an e-mail address as name@example.org."),
    (validators.URLValidator, "Give a web address as https://example.org/page."),
)
DIGITS = {
    "invalid": "Give a number, such as 12.5.",
    "max_digits": "Give at most %(max)s digits.",
    "max_decimal_places": "Give at most %(max)s digits after the point.",
    "max_whole_digits": "Give at most %(max)s digits before the point.",
}


def take_on() -> None:
    """Have every form say so. Again changes nothing."""
    for field, words in WORDS.items():
        field.default_error_messages = vars(field).get("default_error_messages", {}) | words
    for validator, sentence in VALIDATORS:
        validator.message = sentence
    validators.DecimalValidator.messages = DIGITS
