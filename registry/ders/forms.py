"""Forms of the DER pages."""

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.portal.filters import parties
from moc.portal.moments import moment_of
from registry.ders.models import Der


class OwnDer(forms.Form):
    """One registered DER for which the user files."""

    der = forms.CharField(label="DER", max_length=64, help_text="your own id, or the DER id")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_der(self) -> Der:
        wanted = self.cleaned_data["der"].strip()
        mine = policy.scope(Der.objects.registered(), self.user, "file_ders")
        found = mine.filter(external_id=wanted).first() or mine.filter(Q(uuid=wanted) if _is_uuid(wanted) else Q(pk=None)).first()
        if found is None:
            raise forms.ValidationError("No registered DER of yours has this id.")
        return found


def _is_uuid(text: str) -> bool:
    try:
        forms.UUIDField().clean(text)
    except forms.ValidationError:
        return False
    return True


class ThenForm(forms.Form):
    """A utility and a past day, whose end is meant."""

    utility = forms.TypedChoiceField(coerce=int)
    day = forms.CharField(label="As of the end of", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["utility"].choices = parties(user, {"edc"})["edc"]

    def clean_day(self):
        """The moment that the day ends."""
        moment = moment_of(self.cleaned_data["day"])
        if moment is None:
            raise ValidationError("Give a day that is over.")
        return moment


class TenureForm(forms.Form):
    """What becomes of the tenure of a selection of DERs. `number` is how many the user was shown."""

    HAND_OVER, END, BEGIN = "hand_over", "end", "begin"

    verb = forms.ChoiceField(
        label="What",
        choices=((HAND_OVER, "Hand over to another aggregator"), (END, "End the tenure"), (BEGIN, "Begin a tenure of what nobody holds")),
        widget=forms.RadioSelect,
        initial=HAND_OVER,
    )
    aggregator = forms.ModelChoiceField(
        Organization.objects.none(), label="Aggregator", required=False, help_text="not where a tenure only ends"
    )
    on = forms.DateField(
        label="First day",
        help_text="the first day with the new aggregator, or without the old; today or later",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    reason = forms.CharField(label="Reason", max_length=300, help_text="both aggregators can read it")
    number = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, number: int, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["aggregator"].queryset = Organization.objects.filter(kind=Organization.Kind.AGGREGATOR, is_active=True).order_by("name")
        self.fields["on"].initial = timezone.localdate()
        self.fields["number"].initial = self.found = number

    def clean(self) -> dict:
        """An aggregator where one is meant; and the selection is as large as it was shown."""
        data = super().clean()
        if data.get("verb") in (self.HAND_OVER, self.BEGIN) and not data.get("aggregator") and "aggregator" not in self.errors:
            self.add_error("aggregator", "Choose the aggregator.")
        if data.get("number") not in (None, self.found):
            raise ValidationError(f"The list has {self.found:,} DERs now, not {data['number']:,}. Open this page again from the list.")
        return data
