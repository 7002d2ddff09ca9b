"""Forms of disputes: the claim, what is put to the file, proposals, determinations."""

from django import forms

from registry.submissions.forms.reviewing import EVIDENCE, limit_field, settings_field
from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.models import Side

TEXT = 10_000


def words(label: str, help_text: str = "", rows: int = 6) -> forms.CharField:
    return forms.CharField(label=label, max_length=TEXT, widget=forms.Textarea(attrs={"rows": rows}), help_text=help_text)


def file_field(*, required: bool = False) -> forms.FileField:
    return forms.FileField(label="File", required=required, max_length=200, widget=forms.FileInput(attrs={"accept": EVIDENCE}))


def confidential_field() -> forms.BooleanField:
    help_text = "The other party does not learn of it; the RTO or the regulator before whom the dispute is reads it."
    return forms.BooleanField(label="Confidential", required=False, help_text=help_text)


class ClaimForm(forms.Form):
    """What the aggregator wants, and why."""

    claim = words("Claim", "what you want, and why; the utility, the RTO and the regulator read it")
    upload = file_field()


class StatementForm(forms.Form):
    """A statement in turn."""

    text = words("Statement", "the other party reads it, and then has its turn")
    upload = file_field()


class Confidential(forms.Form):
    """A part that may be confidential, where somebody would read it."""

    def __init__(self, *args, confidential: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if confidential:
            self.fields["confidential"] = confidential_field()

    def clean(self) -> dict:
        """The service's word for it."""
        data = super().clean()
        data["is_shared"] = not data.pop("confidential", False)
        return data


class EvidenceForm(Confidential):
    """A file, and what it shows."""

    text = words("What it shows", rows=3)
    upload = file_field(required=True)


class AnswerForm(Confidential):
    """An answer to a request for information."""

    text = words("Answer")
    upload = file_field()


class QuestionForm(forms.Form):
    """A request for information to one of the others."""

    asked = forms.ChoiceField(label="Who is asked")
    text = words("Question", "everybody in the dispute reads it", 4)

    def __init__(self, *args, others: list[tuple[str, str]], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["asked"].choices = others


class MeetingForm(forms.Form):
    """A meeting that was held."""

    held_at = forms.DateTimeField(
        label="Held", widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}), help_text="day and hour"
    )
    attendees = forms.CharField(label="Who took part", max_length=500)
    text = words("What was said and agreed", "everybody in the dispute reads it")


class NoteForm(forms.Form):
    """A decider's own note."""

    text = words("Note", "only your own organisation reads it")


class Effective(forms.Form):
    """What is to become of the disputed record, with limits where it is approved with some."""

    export_limit_kw = limit_field("Export")
    import_limit_kw = limit_field("Import")
    inverter_settings = settings_field()


class ProposalForm(Effective):
    """Terms of a settlement."""

    field_order = ("effect", "export_limit_kw", "import_limit_kw", "inverter_settings", "terms")
    effect = forms.ChoiceField(label="Effect on the disputed record", choices=SettlementProposal.Effect.choices, widget=forms.RadioSelect)
    terms = words("Terms", "what each party does; once the other agrees, they are carried out")


class DeterminationForm(Effective):
    """A draft of a determination."""

    field_order = ("outcome", "export_limit_kw", "import_limit_kw", "inverter_settings", "reasons")
    outcome = forms.ChoiceField(label="Outcome", choices=Determination.Outcome.choices, widget=forms.RadioSelect)
    reasons = words("Reasons", "the parties read them; they are printed in the letter", 10)


def others_of(side: str, sides: list[str]) -> list[tuple[str, str]]:
    """Whom a side may ask."""
    return [(each, Side(each).label) for each in sides if each != side]
