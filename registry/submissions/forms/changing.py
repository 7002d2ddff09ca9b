"""Forms of changes: what becomes of selected DERs, a home that is sold, and a wider review."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from registry.aggregations.forms import FileForm, MembersForm
from registry.ders.models import Der
from registry.submissions.forms.filing import PartyForm
from registry.submissions.kinds import TERMS, Kind

CHOICES = [(kind.value, f"{kind.label}: {TERMS[kind].says}") for kind in (Kind.MODIFY, Kind.SUSPEND, Kind.REINSTATE, Kind.RETIRE)]


def reason_field(label: str = "Reason") -> forms.CharField:
    return forms.CharField(label=label, max_length=300, help_text="the utility reads it")


class ChangeForm(PartyForm):
    """What becomes of a selection of DERs. `number` is how many the user was shown."""

    kind = forms.ChoiceField(label="What", choices=CHOICES, widget=forms.RadioSelect)
    day = forms.DateField(
        label="Last day", required=False, help_text="of a retirement; empty: today", widget=forms.DateInput(attrs={"type": "date"})
    )
    reason = reason_field()
    number = forms.IntegerField(widget=forms.HiddenInput)
    field_order = ["kind", "day", "reason", "aggregator", "number"]

    def __init__(self, *args, number: int, kind: str = "", **kwargs):
        super().__init__(*args, initial={"kind": kind}, **kwargs)
        self.fields["number"].initial = self.found = number

    def clean(self) -> dict:
        """The selection is as large as it was shown."""
        data = super().clean()
        if data.get("number") not in (None, self.found):
            raise ValidationError(f"The list has {self.found:,} DERs now, not {data['number']:,}. Open this page again from the list.")
        return data


class SoldForm(forms.Form):
    """A home is sold: what leaves, where it goes, and who owns what stays."""

    leaving = forms.ModelMultipleChoiceField(
        Der.objects.none(),
        label="What leaves with the former owner",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="such as a vehicle; what is not ticked stays with the home",
    )
    moves_to = forms.CharField(
        label="Service point to which it goes",
        max_length=40,
        required=False,
        help_text="of the same utility; empty: it leaves for good",
    )
    edc_account_no = forms.CharField(label="New owner's account with the utility", max_length=40)
    owner_name = forms.CharField(label="New owner's name", max_length=120)
    owner_email = forms.EmailField(label="New owner's e-mail", required=False)
    owner_phone = forms.CharField(label="New owner's telephone", max_length=40, required=False)
    consent_reference = forms.CharField(label="New owner's consent", max_length=80, help_text="its reference in your records")
    reason = reason_field()

    OWNER = ("edc_account_no", "owner_name", "owner_email", "owner_phone")

    def __init__(self, *args, ders, **kwargs):
        super().__init__(*args, initial={"reason": f"Home sold, {timezone.localdate():%B %Y}"}, **kwargs)
        self.fields["leaving"].queryset = self.ders = ders

    def clean_leaving(self):
        """Somebody buys what stays."""
        leaving = self.cleaned_data["leaving"]
        if leaving.count() == self.ders.count():
            raise ValidationError("Nothing stays: file a modification of the service point, or a retirement, instead.")
        return leaving

    @property
    def owner(self) -> dict[str, str]:
        """The new owner's personal columns."""
        return {name: self.cleaned_data[name] for name in self.OWNER}


class WidenForm(forms.Form):
    """Why the unchanged DERs of the same aggregations are reviewed too."""

    reason = forms.CharField(
        label="What the change affects beyond the changed DERs",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="the aggregator reads it",
    )


class ConfirmForm(forms.Form):
    """Nothing is asked but that it is meant."""


class FiledMembersForm(MembersForm):
    """Which DERs join a registered aggregation or, with `leaving`, leave it; and why."""

    reason = reason_field()


class MembersFileForm(FileForm):
    """A file of those who join, or leave; and why."""

    reason = reason_field()


class ValidateForm(forms.Form):
    """What the RTO says beside its validation."""

    statement = forms.CharField(label="Statement", max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3}))


class DenyForm(ValidateForm):
    """By which rule they do not join."""

    rule = forms.ChoiceField(label="The rule that would be broken")
    field_order = ["rule", "statement"]

    def __init__(self, *args, rules, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["rule"].choices = rules
