"""What forms say of bad values: a sentence with its remedy, the same everywhere."""

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile

CHOICES = [("a", "A")]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        (forms.CharField(), "", "Fill this in."),
        (forms.CharField(max_length=2), "abc", "Give at most 2 characters; these are 3."),
        (forms.ChoiceField(choices=CHOICES), "", "Choose one."),
        (forms.ChoiceField(choices=CHOICES), "b", "“b” is not among the choices. Choose one of the list."),
        (forms.TypedChoiceField(choices=CHOICES), "", "Choose one."),
        (forms.BooleanField(), "", "Tick this to go on."),
        (forms.IntegerField(min_value=0), "-1", "Give 0 or more."),
        (forms.IntegerField(max_value=9), "10", "Give 9 or less."),
        (forms.IntegerField(), "x", "Give a whole number, such as 12."),
        (forms.FloatField(), "x", "Give a number, such as 12.5."),
        (forms.DecimalField(max_digits=4, decimal_places=1), "1.25", "Give at most 1 digits after the point."),
        (forms.DateField(), "x", "Give a day as 2026-11-22."),
        (forms.DateTimeField(), "x", "Give a date and time as 2026-11-22 14:30."),
        (forms.EmailField(), "x", "Give an e-mail address as name@example.org."),
        (forms.FileField(), None, "Choose a file."),
        (forms.FileField(), SimpleUploadedFile("a.csv", b""), "The file is empty. Choose another one."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_bad_value_is_answered_with_its_remedy(field, value, said):
    with pytest.raises(forms.ValidationError) as refused:
        field.clean(value)
    assert refused.value.messages == [said]


@pytest.mark.parametrize("value", ["2026-11-22", "2026-11-22 14:30"])
def test_what_the_remedy_shows_is_taken(value):
    forms.DateTimeField().clean(value)
