"""Shape of a grant of support."""

from datetime import timedelta

from django import forms
from django.utils import timezone

from moc.access.models import Organization, User
from moc.support import services


class GrantForm(forms.Form):
    """Whom to let in, to do what, for how long and why."""

    organization = forms.ModelChoiceField(Organization.objects.none(), label="Organisation", empty_label=None)
    operator = forms.ModelChoiceField(Organization.objects.none(), label="Operator", empty_label=None)
    staff = forms.EmailField(
        label="Only this member of its staff", required=False, help_text="An e-mail address; leave it empty to let in all its staff."
    )
    scope = forms.ChoiceField(
        label="What they may do",
        choices=[("view", "See your records"), ("act", "See your records and act for you")],
        widget=forms.RadioSelect,
        initial="view",
        help_text="They never attest, confirm a denial, or change your members and machine clients.",
    )
    days = forms.IntegerField(label="For how many days", min_value=1, initial=1)
    reason = forms.CharField(label="Reason", max_length=200, help_text="Such as the number of your request.")

    def __init__(self, *args, organizations, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = organizations
        self.fields["operator"].queryset = services.operators()
        self.fields["days"].max_value = services.longest().days
        self.fields["days"].help_text = f"At most {services.longest().days}. You can end it at any time."

    def given(self) -> dict:
        """What the service takes."""
        given = dict(self.cleaned_data)
        return given | {"until": timezone.now() + timedelta(days=given.pop("days")), "staff": given["staff"] or None}

    def clean_staff(self) -> User | None:
        """The person of that address; the service checks for whom they work."""
        email = self.cleaned_data["staff"]
        if not email:
            return None
        found = User.objects.filter(email__iexact=email, kind=User.Kind.PERSON, is_active=True, memberships__organization__kind="operator")
        if not found.exists():
            raise forms.ValidationError("Nobody of that address works for the operator.")
        return found.first()
