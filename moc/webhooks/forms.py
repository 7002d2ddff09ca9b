"""Shapes of a webhook and of a replay."""

from datetime import datetime

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from moc.access.models import Organization
from moc.webhooks import services


class WebhookForm(forms.Form):
    """Where to send what."""

    name = forms.CharField(max_length=80)
    address = forms.URLField(max_length=500, assume_scheme="https", help_text="A public https address; redirects are not followed.")
    events = forms.MultipleChoiceField(
        label="Events", required=False, widget=forms.CheckboxSelectMultiple, help_text="None chosen: every event, also those yet to come."
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["events"].choices = [(kind, kind.replace("_", " ").capitalize()) for kind in services.kinds()]


class NewWebhookForm(WebhookForm):
    """Whose events, too."""

    organization = forms.ModelChoiceField(Organization.objects.none(), label="Organisation", empty_label=None)
    field_order = ("organization",)

    def __init__(self, *args, organizations: QuerySet[Organization], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = organizations


class ReplayForm(forms.Form):
    """From which day on."""

    since = forms.DateField(label="Since the day", widget=forms.DateInput(attrs={"type": "date"}))

    def moment(self) -> datetime:
        """The beginning of the day."""
        return timezone.make_aware(datetime.combine(self.cleaned_data["since"], datetime.min.time()))
