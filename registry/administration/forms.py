"""Forms of a utility's administrators."""

from django import forms
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from registry.ders.choices import technologies
from registry.ders.dictionary import REQUIRED
from registry.ders.models import DerFacts
from registry.participants.models import CONTACT_FIELDS, Contact
from registry.participants.services import MASK, days
from registry.utilities.models import LetterTemplate, ReviewRule
from registry.utilities.rules import label_of


def day(label: str, help_text: str = "", required: bool = True) -> forms.DateField:
    """A day, as people and browsers write it."""
    return forms.DateField(
        label=label, help_text=help_text, required=required, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )


def quantity(label: str, help_text: str = "") -> forms.DecimalField:
    """A magnitude that may be left out."""
    widget = forms.TextInput(attrs={"inputmode": "decimal"})
    return forms.DecimalField(label=label, help_text=help_text, required=False, min_value=0, max_digits=14, decimal_places=3, widget=widget)


def columns() -> list[tuple[str, str]]:
    """The columns of a filing that a review rule can be about."""
    names = [field.name for field in DerFacts._meta.get_fields() if field.name not in ("external_id", "consent_reference")]
    return [(name, f"{label_of(name)} ({name})" + (", required anyway" if name in REQUIRED else "")) for name in names]


class ContactForm(forms.Form):
    """Whom to call, for what and on which days. What is there already is not shown: an empty field keeps it."""

    purpose = forms.ChoiceField(choices=Contact.Purpose.choices)
    name, email, phone = (CONTACT_FIELDS[column].formfield(label=column.capitalize()) for column in Contact.personal)
    valid_from = day("From", "empty: always", required=False)
    valid_until = day("Until", "the first day without it; empty: until further notice", required=False)

    def __init__(self, *args, contact: Contact, **kwargs):
        first, last = contact.valid_during.lower, contact.valid_during.upper
        super().__init__(*args, initial={"purpose": contact.purpose, "valid_from": first, "valid_until": last}, **kwargs)
        self.contact = contact
        for name, field in CONTACT_FIELDS.items():
            kept = contact.pk is not None and contact.is_filled(name)
            self.fields[name].required = not field.blank and not kept
            self.fields[name].help_text = f"{MASK} Leave empty to keep it." if kept else ""

    def filled(self) -> dict[str, str]:
        """Set purpose and days on the contact, not saved; returns the personal values that were given. Raises UserError."""
        given = self.cleaned_data
        self.contact.purpose = given["purpose"]
        self.contact.valid_during = days(given["valid_from"], given["valid_until"])
        return {name: given[name] for name in CONTACT_FIELDS if given[name]}


class RuleForm(forms.Form):
    """A review rule and the day from which it holds."""

    field = forms.ChoiceField(label="Column", choices=columns)
    kind = forms.ChoiceField(label="Demand", choices=ReviewRule.Kind.choices, widget=forms.RadioSelect, initial=ReviewRule.Kind.REQUIRED)
    number = quantity("Number", "for “at most” and “at least”, in the column's unit")
    codes = forms.CharField(label="Codes", required=False, max_length=400, help_text="for demands of codes; separated by semicolons")
    technologies = forms.MultipleChoiceField(
        label="Only for these technologies",
        required=False,
        choices=technologies,
        widget=forms.CheckboxSelectMultiple,
        help_text="none ticked: for all",
    )
    from_kw = quantity("Only from nameplate AC (kW)", "empty: for DERs of every size")
    severity = forms.ChoiceField(label="Severity", choices=ReviewRule.Severity.choices, widget=forms.RadioSelect, initial="error")
    remedy = forms.CharField(label="Remedy", max_length=300, help_text="what the aggregator shall do, in a sentence")
    starts_on = day("In force from", "today or later", required=True)
    ends_on = day("Until", "the first day on which it is no longer in force; empty: until further notice", required=False)

    def clean_codes(self) -> list[str]:
        return [code.strip() for code in self.cleaned_data["codes"].split(";") if code.strip()]

    def rule_for(self, edc: Organization) -> ReviewRule:
        """The rule that the form describes, not saved."""
        names = ("field", "kind", "number", "codes", "technologies", "from_kw", "severity", "remedy")
        return ReviewRule(edc=edc, **{name: self.cleaned_data[name] for name in names})

    @staticmethod
    def values_of(rule: ReviewRule) -> dict:
        """A rule as the form's first values."""
        names = ("field", "kind", "number", "technologies", "from_kw", "severity", "remedy")
        return {name: getattr(rule, name) for name in names} | {"codes": "; ".join(rule.codes)}


class EndForm(forms.Form):
    """The day on which a rule ends."""

    on = day("No longer in force from", "today or later; rows that wait for a decision lose the rule's findings when it is today")


class PracticeForm(forms.Form):
    """How the utility reviews."""

    reviewers = forms.MultipleChoiceField(
        label="New reviews are given to",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="in turn, to whom has the fewest open reviews; none ticked: to nobody in particular",
    )
    limits_by_file = forms.BooleanField(label="A decision file may approve with limits", required=False)
    starts_on = day("In force from", "today or later")

    def __init__(self, *args, edc: Organization, **kwargs):
        super().__init__(*args, **kwargs)
        people = policy.holders("review_ders", edc).order_by("name", "email")
        self.fields["reviewers"].choices = [(person.pk, f"{person} ({person.email})") for person in people]

    def clean_reviewers(self) -> list[int]:
        return [int(pk) for pk in self.cleaned_data["reviewers"]]


class LetterForm(forms.Form):
    """A letter's head, words and signature."""

    sender = forms.CharField(label="Sender", required=False, max_length=120, help_text="empty: the utility's legal name")
    address = forms.CharField(label="Address", required=False, max_length=400, widget=forms.Textarea(attrs={"rows": 3}))
    logo = forms.FileField(
        label="Logo",
        required=False,
        max_length=200,
        help_text="PNG or JPEG, at most 500 kB; empty: the logo of the version before",
        widget=forms.FileInput(attrs={"accept": ".png,.jpg,.jpeg"}),
    )
    without_logo = forms.BooleanField(label="Without a logo", required=False)
    opening = forms.CharField(
        label="Opening", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 5}), help_text="before the facts"
    )
    closing = forms.CharField(
        label="Closing", required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 5}), help_text="after the facts"
    )
    signature = forms.CharField(label="Signature line", required=False, max_length=200)

    @staticmethod
    def values_of(letter: LetterTemplate | None) -> dict:
        """A version as the form's first values."""
        return {name: getattr(letter, name) for name in ("sender", "address", "opening", "closing", "signature")} if letter else {}


class RetentionForm(forms.Form):
    """How long a class of data is kept."""

    days = forms.IntegerField(label="Days after the review was closed", min_value=1, max_value=100_000)
    starts_on = day("In force from", "today or later")


def from_today() -> dict:
    """The first day that a form proposes."""
    return {"starts_on": timezone.localdate()}
