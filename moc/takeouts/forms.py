"""The form by which a take-out is asked for."""

from django import forms


class TakeoutForm(forms.Form):
    """What the take-out is for, and how personal data stands in it."""

    plain = forms.ChoiceField(
        label="Personal data",
        choices=(("", "Masked"), ("plain", "In full; this needs a purpose and is logged")),
        widget=forms.RadioSelect,
        required=False,
        initial="",
    )
    purpose = forms.CharField(label="Purpose", required=False, max_length=300, help_text="what it is for; it is kept with the take-out")
