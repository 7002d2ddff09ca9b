"""Forms of registrations and suspensions."""

from django import forms

from moc.access.models import Organization
from registry.aggregators.models import OFFICER_FIELDS, AggregatorRegistration, Certification, Suspension
from registry.participants.models import CONTACT_FIELDS, Contact

EVIDENCE = forms.FileInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg,.txt,.csv,.xlsx"})


def of_kind(kind: str):
    """Active organisations of a kind, by name."""
    return Organization.objects.filter(kind=kind, is_active=True).order_by("name")


def day(label: str, help_text: str = "", required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label, help_text=help_text, required=required, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )


class RegistrationForm(forms.ModelForm):
    """The company's facts. The service, not the form, saves them."""

    tax_id = forms.CharField(label="Tax id (EIN)", max_length=20, required=False, help_text="kept encrypted; empty keeps the one on record")

    class Meta:
        model = AggregatorRegistration
        fields = ("rerra", "legal_form", "formed_in", "address", "website")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["rerra"].queryset = of_kind(Organization.Kind.RERRA)

    def clean_formed_in(self) -> str:
        return self.cleaned_data["formed_in"].upper()


class EndForm(forms.Form):
    """Nothing is asked but the confirmation."""


class OfficerForm(forms.Form):
    """An officer."""

    title = forms.CharField(label="Office", max_length=80, help_text="such as Chief executive")
    name, email, phone = (OFFICER_FIELDS[column].formfield(label=column.capitalize()) for column in OFFICER_FIELDS)
    signs = forms.BooleanField(label="May sign for the company", required=False)


class ContactForm(forms.Form):
    """A contact for one purpose."""

    purpose = forms.ChoiceField(choices=Contact.Purpose.choices)
    name, email, phone = (CONTACT_FIELDS[column].formfield(label=column.capitalize()) for column in CONTACT_FIELDS)


class CertificationForm(forms.Form):
    """A certification with its evidence."""

    kind = forms.ChoiceField(choices=Certification.Kind.choices)
    issuer = forms.CharField(max_length=120)
    number = forms.CharField(max_length=60, required=False)
    expires_on = day("Valid until", "the last day on which it is valid; you are warned 60 and 15 days ahead")
    evidence = forms.FileField(widget=EVIDENCE, help_text="the certificate; the regulator may read it")


class MembershipForm(forms.Form):
    """Membership of an RTO."""

    tso = forms.ModelChoiceField(label="RTO", queryset=Organization.objects.none())
    member_no = forms.CharField(label="Member number", max_length=40)
    starts_on = day("From")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["tso"].queryset = of_kind(Organization.Kind.TSO)


class SignForm(forms.Form):
    """The signature under the agreement."""

    version = forms.CharField(widget=forms.HiddenInput, max_length=40)
    signed_as = forms.CharField(label="I sign as", max_length=120, help_text="your office in the company")
    read = forms.BooleanField(label="I have read the agreement, may sign it for the company, and attest compliance")


class SuspensionForm(forms.Form):
    """A suspension by one's own organisation."""

    aggregator = forms.ModelChoiceField(queryset=Organization.objects.none())
    reason = forms.ChoiceField(choices=Suspension.Reason.choices, widget=forms.RadioSelect)
    statement = forms.CharField(max_length=2000, widget=forms.Textarea(attrs={"rows": 4}), help_text="The aggregator reads it.")
    evidence = forms.FileField(required=False, widget=EVIDENCE, help_text="needed for a threat to reliability; the aggregator may read it")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["aggregator"].queryset = of_kind(Organization.Kind.AGGREGATOR)
