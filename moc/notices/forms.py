"""Shape of a person's preferences."""

from django import forms

WAYS = (("in_app", "In the app"), ("by_email", "By e-mail"))


class PreferencesForm(forms.Form):
    """For each kind of event a choice of ways; none chosen: not told."""

    def __init__(self, *args, chosen: list[tuple[str, bool, bool]], **kwargs):
        super().__init__(*args, **kwargs)
        for event, *wanted in chosen:
            self.fields[event] = forms.MultipleChoiceField(
                label=event.replace("_", " ").capitalize(),
                choices=WAYS,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                initial=[name for (name, _), want in zip(WAYS, wanted, strict=True) if want],
            )

    def choices(self) -> dict[str, tuple[bool, bool]]:
        """event → (in the app, by e-mail)."""
        return {event: tuple(name in ways for name, _ in WAYS) for event, ways in self.cleaned_data.items()}
