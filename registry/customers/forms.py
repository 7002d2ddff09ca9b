"""Forms of owners."""

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password

from moc.access.models import Organization
from registry.customers.models import WEEKDAYS, PersonalUse
from registry.participants.models import Consent


def day(label: str, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        label=label, help_text=help_text, required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )


def moment(label: str) -> forms.DateTimeField:
    zone = f"local time ({settings.TIME_ZONE})"
    return forms.DateTimeField(label=label, required=False, help_text=zone, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))


def hour(label: str) -> forms.TimeField:
    return forms.TimeField(label=label, required=False, widget=forms.TimeInput(attrs={"type": "time"}))


class WelcomeForm(forms.Form):
    """A password for the account of an owner."""

    name = forms.CharField(max_length=120)
    password = forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))

    def clean_password(self) -> str:
        validate_password(self.cleaned_data["password"])
        return self.cleaned_data["password"]


class ConfirmForm(forms.Form):
    """Nothing is asked but the confirmation."""


class ConsentForm(forms.Form):
    """To what the owner consents, and until when."""

    scopes = forms.MultipleChoiceField(label="What may be done", choices=Consent.Scope.choices, widget=forms.CheckboxSelectMultiple)
    purpose = forms.CharField(label="What for", max_length=200)
    expires_on = day("Until", "the last day; empty: until it is revoked")


class OwnConsentForm(ConsentForm):
    """A consent in the owner's own words: also to an aggregator that shall take over."""

    aggregator = forms.ModelChoiceField(label="Who may", queryset=Organization.objects.none())
    field_order = ("aggregator",)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["aggregator"].queryset = Organization.objects.filter(kind="aggregator", is_active=True).order_by("name")


class ShownConsentForm(ConsentForm):
    """A consent that the owner signed for the aggregator."""

    evidence = forms.FileField(help_text="what the owner signed; the utility may read it")


class ReasonForm(forms.Form):
    """Why a consent is revoked."""

    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class UseForm(forms.Form):
    """What the owner keeps."""

    kind = forms.ChoiceField(label="What I keep", choices=PersonalUse.Kind.choices, widget=forms.RadioSelect)
    reserve_percent = forms.DecimalField(
        label="Reserve (%)", required=False, min_value=0, max_value=100, max_digits=5, decimal_places=2, help_text="of the energy stored"
    )
    weekdays = forms.TypedMultipleChoiceField(
        label="Blackout on", required=False, coerce=int, choices=WEEKDAYS, widget=forms.CheckboxSelectMultiple
    )
    from_time, until_time = hour("From"), hour("Until")
    starts_at, ends_at = moment("The event begins"), moment("The event ends")

    KINDS = {"reserve": ("reserve_percent",), "blackout": ("weekdays", "from_time", "until_time"), "opt_out": ("starts_at", "ends_at")}

    def facts(self) -> dict:
        """What the service takes: only what belongs to the kind."""
        return {name: self.cleaned_data[name] for name in ("kind", *self.KINDS[self.cleaned_data["kind"]])}
