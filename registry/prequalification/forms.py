"""Forms of qualification: overrides, the RTO's decisions, changes of the law."""

from django import forms

from moc.access import policy
from moc.access.models import Organization
from moc.rulesets.kinds import KINDS
from registry.catalogue.models import GridService


def day(label: str, help_text: str = "") -> forms.DateField:
    return forms.DateField(label=label, help_text=help_text, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))


def words(label: str, help_text: str = "", required: bool = True) -> forms.CharField:
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class OverrideForm(forms.Form):
    """One DER or aggregation and service, against the rules."""

    service = forms.ModelChoiceField(GridService.objects.none(), label="Service", empty_label="Choose a service")
    eligible = forms.TypedChoiceField(
        label="What holds instead",
        choices=[("yes", "It qualifies"), ("no", "It is barred")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    reason = words("Reason", "the aggregator reads it; it becomes part of the record's history")

    def __init__(self, *args, services: list[str] | None, **kwargs):
        super().__init__(*args, **kwargs)
        known = GridService.objects.in_force()
        self.fields["service"].queryset = known if services is None else known.filter(pk__in=services)


class EndForm(forms.Form):
    """Nothing is asked: the rules decide again."""


class RegisterForm(forms.Form):
    """The RTO's id of an aggregation, and the day from which it takes part."""

    market_id = forms.CharField(label="Id at the RTO", max_length=60)
    effective_on = day("Takes part from")
    statement = words("Statement", "the aggregator reads it", required=False)


class StatementForm(forms.Form):
    """What the RTO asks of the aggregator, or why it reinstates."""

    statement = words("Statement", "the aggregator reads it")


class AnswerForm(forms.Form):
    """The aggregator's answer to a question of the RTO."""

    text = words("Answer", "the RTO reads it")


class DenyForm(forms.Form):
    """The rule by which an aggregation is denied or suspended: one that it breaks."""

    rule = forms.ChoiceField(label="Rule", widget=forms.RadioSelect)
    statement = words("Statement", "the aggregator reads it", required=False)

    def __init__(self, *args, broken: list[tuple[str, str]], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["rule"].choices = broken


class ChangeForm(forms.Form):
    """A row of the law to be."""

    organization = forms.ModelChoiceField(Organization.objects.none(), label="For", empty_label=None)
    key = forms.ChoiceField(label="What", choices=[(key, f"{key}: {kind.says}") for key, kind in sorted(KINDS.items())])
    value = forms.JSONField(
        label="Value", help_text='a number, true or false, a text in quotes, or a list such as ["energy"]; "none" for no limit'
    )
    authority = forms.SlugField(label="Authority", required=False, help_text="for the operator only: a market or regulator; empty: all")
    starts_on = day("In force from", "today or later")
    source = words("Source", "order, tariff, docket")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        mine = Organization.objects.filter(pk__in=policy.reach(user, "set_law"), is_active=True).order_by("name")
        self.fields["organization"].queryset = mine
