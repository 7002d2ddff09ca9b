"""Forms of envelope policies: every column of the model but whose it is; services judge them whole."""

from django import forms

from moc.access.models import Organization
from operations.envelopes.models import EnvelopePolicy
from operations.sharing.services import FACTS
from registry.grid.forms import utilities_of
from registry.grid.models import Feeder


class PolicyForm(forms.ModelForm):
    """How room is shared, within which limits, and what holds without envelopes."""

    class Meta:
        model = EnvelopePolicy
        fields = FACTS

    def _post_clean(self):
        """The service judges the record whole."""


class ChangeForm(PolicyForm):
    """The same, and why it is changed: the operational log tells it."""

    reason = forms.CharField(label="Why", max_length=300, help_text="stands in the operational log and in the policy's history")


class NewPolicyForm(PolicyForm):
    """The same, of one feeder or of a utility's other feeders."""

    edc = forms.ModelChoiceField(label="Utility", queryset=Organization.objects.none(), empty_label=None)
    feeder = forms.CharField(label="Feeder", max_length=40, required=False, help_text="your own code; empty: all others")
    field_order = ("edc", "feeder")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["edc"].queryset = utilities_of(user)
        self.fields["edc"].initial = self.fields["edc"].queryset.first()

    def clean(self) -> dict:
        """The feeder that the code names among the utility's."""
        given = super().clean()
        code, edc = given.get("feeder"), given.get("edc")
        given["feeder"] = Feeder.objects.filter(edc=edc, code=code).first() if code else None
        if code and edc and given["feeder"] is None:
            self.add_error("feeder", "No feeder of this utility has this code. Leave it empty for all its feeders.")
        return given
