"""Which DERs are approved with the limits that a screen proposes."""

from django import forms


class AdoptForm(forms.Form):
    """DERs by their rows, all ticked at first."""

    rows = forms.TypedMultipleChoiceField(label="DERs", coerce=int, widget=forms.CheckboxSelectMultiple)
    statement = forms.CharField(
        max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="the aggregator reads it, with the limits"
    )

    def __init__(self, *args, findings, **kwargs):
        super().__init__(*args, **kwargs)
        labels: dict[int, str] = {}
        for each in findings:
            said = f"{each.get_direction_display().lower()} {each.limit_kw:g} of {each.filed_kw:g} kW"
            number = each.row.row_number
            labels[number] = f"{labels[number]}, {said}" if number in labels else f"{each.row.external_id}: {said}"
        self.fields["rows"].choices = list(labels.items())
        self.fields["rows"].initial = list(labels)
