"""The form by which the end of an archive is proposed."""

from django import forms

from moc.seals import destroying
from moc.seals.models import Archive


class ArchiveChoice(forms.ModelChoiceField):
    """An archive, with its last day and its rows."""

    def label_from_instance(self, archive: Archive) -> str:
        return f"{archive}: {archive.row_count:,} rows"


class DestructionForm(forms.Form):
    """Which archive, and why. Only those are offered whose rows are kept no longer."""

    archive = ArchiveChoice(Archive.objects.none(), help_text="only those that the rule sets kept_years_… let go")
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["archive"].queryset = destroying.waiting()
