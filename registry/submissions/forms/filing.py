"""Forms of the aggregator: start, upload, attest, answer."""

from django import forms

from moc.access import policy
from moc.access.models import Organization

ACCEPTED = ".csv,.tsv,.txt,.xlsx,.ndjson,.jsonl,.json,.gz"


class PartyForm(forms.Form):
    """A form in the name of one of the user's aggregators; whoever has only one is not asked."""

    aggregator = forms.ModelChoiceField(queryset=Organization.objects.none(), empty_label=None)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        mine = Organization.objects.filter(pk__in=policy.reach(user, "file_ders"), kind="aggregator").order_by("name")
        self.fields["aggregator"].queryset = mine
        found = list(mine[:2])
        if len(found) == 1:
            self.fields["aggregator"].required = False
            self.fields["aggregator"].widget = forms.HiddenInput()
            self.only = found[0]

    only = None

    def clean_aggregator(self):
        return self.only or self.cleaned_data["aggregator"]


class DraftForm(PartyForm):
    """A draft to which rows are added by form."""

    title = forms.CharField(max_length=200, help_text="Your own name for this filing, such as “Dover, spring 2026”.")
    field_order = ["title", "aggregator"]


def table_file(help_text: str) -> forms.FileField:
    """A field for an uploaded table."""
    widget = forms.FileInput(attrs={"accept": ACCEPTED})
    return forms.FileField(label="File", help_text=help_text, widget=widget, max_length=200)


class UploadForm(PartyForm):
    """A file of DERs."""

    file = table_file("CSV, XLSX, NDJSON or JSON, each also compressed with gzip; at most 500 MB and 1,000,000 rows, XLSX 100,000 rows.")
    title = forms.CharField(max_length=200, required=False, help_text="Your own name for this filing; left empty, the name of the file.")
    field_order = ["file", "title", "aggregator"]


class CorrectionForm(forms.Form):
    """A file with the corrected rows of a draft."""

    file = table_file("Only the corrected rows are needed. A row replaces the one with the same external_id; a new id adds a row.")


class SubmitForm(forms.Form):
    """The attestation, accepted, and what becomes of rows with errors."""

    ALL, GOOD = "all", "good"

    rows = forms.ChoiceField(label="Rows to submit", widget=forms.RadioSelect)
    attestation_version = forms.CharField(widget=forms.HiddenInput)
    accepted = forms.BooleanField(label="I attest this", error_messages={"required": "The attestation must be accepted before submission."})

    def __init__(self, *args, good: int, bad: int, **kwargs):
        super().__init__(*args, **kwargs)
        everything = (self.ALL, f"Submit all {good + bad:,} rows" + (f" ({bad:,} have errors: this will be refused)" if bad else ""))
        part = (self.GOOD, f"Submit the {good:,} good rows, and keep the {bad:,} with errors in a new draft")
        self.fields["rows"].choices = [part, everything] if bad else [everything]
        self.fields["rows"].initial = self.GOOD if bad else self.ALL


class AnswerForm(forms.Form):
    """The answer to a request for information."""

    text = forms.CharField(label="Answer", max_length=4000, widget=forms.Textarea(attrs={"rows": 4}))
