"""Forms about personal data: what they are needed for, why they are erased, and a contact's own values."""

from django import forms

from moc.admin.forms import ReasonForm
from registry.participants.models import CONTACT_FIELDS, Contact
from registry.participants.services import MASK, REVEALING


class PurposeForm(forms.Form):
    """What personal data are needed for."""

    purpose = forms.ChoiceField(
        label="What for", choices=[("", "Choose"), *((purpose.value, purpose.label) for purpose in REVEALING)], help_text="It is logged."
    )
    note = forms.CharField(label="Case or ticket", max_length=300, required=False, help_text="Without names or numbers of customers.")


class EraseForm(forms.Form):
    """Why a person is erased."""

    reason = forms.CharField(max_length=300, widget=forms.Textarea(attrs={"rows": 3}), help_text="It becomes part of the history.")
    sure = forms.BooleanField(label="I know that nobody can undo this.")


class ContactForm(ReasonForm):
    """A contact in the workplace. What is there already is not shown: an empty field keeps it."""

    name, email, phone = (CONTACT_FIELDS[column].formfield(label=column.capitalize()) for column in Contact.personal)

    class Meta:
        model = Contact
        fields = ("organization", "purpose")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, field in CONTACT_FIELDS.items():
            if name not in self.fields:  # to whoever may only read it
                continue
            kept = self.instance.pk is not None and self.instance.is_filled(name)
            self.fields[name].required = not field.blank and not kept
            self.fields[name].help_text = f"{MASK} Leave empty to keep it." if kept else ""

    def personal(self) -> dict[str, str]:
        """The values that were given."""
        return {name: value for name in CONTACT_FIELDS if (value := self.cleaned_data[name])}
