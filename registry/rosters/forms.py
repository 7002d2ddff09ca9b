"""The form of a roster."""

from django import forms


class RosterForm(forms.Form):
    """A programme's accounts as a file."""

    program = forms.CharField(label="Programme code", max_length=40, help_text="as filings name it in retail_programs, such as NEM")
    file = forms.FileField(
        label="Accounts",
        help_text="CSV with a column edc_account_no: all accounts of the programme. The numbers are not kept.",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt"}),
    )
