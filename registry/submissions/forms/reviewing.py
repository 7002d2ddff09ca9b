"""Forms of the utility: a decision on selected rows, a decision file."""

from django import forms

from registry.submissions.forms.fields import Json
from registry.submissions.forms.filing import table_file
from registry.submissions.models import Decision

KINDS = [(kind.value, kind.label) for kind in Decision.BY_PEOPLE]
EVIDENCE = ".pdf,.docx,.xlsx,.csv,.txt,.png,.jpg,.jpeg"


def limit_field(direction: str) -> forms.DecimalField:
    """A limit in kW."""
    return forms.DecimalField(
        label=f"{direction} limit (kW)",
        required=False,
        max_digits=14,
        decimal_places=3,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )


def settings_field() -> Json:
    """Settings that the DERs' inverters shall keep."""
    return Json(
        label="Inverter settings", required=False, help_text="JSON object of IEEE 1547 settings: volt_var, volt_watt, power_factor, max_w"
    )


class DecisionForm(forms.Form):
    """What is decided, with what it needs; which rows, comes from the table's boxes. The service says what is missing."""

    kind = forms.ChoiceField(label="Decision", choices=KINDS, widget=forms.RadioSelect)
    export_limit_kw = limit_field("Export")
    import_limit_kw = limit_field("Import")
    temporal_limits = Json(
        label="Limits by time", required=False, help_text="JSON list of {rrule, starts, ends, export_kw, import_kw}; may stay empty"
    )
    inverter_settings = settings_field()
    reason_code = forms.ChoiceField(
        label="Ground for the denial", required=False, choices=[("", "Choose a ground"), *Decision.Reason.choices]
    )
    evidence = forms.FileField(
        label="Evidence",
        required=False,
        max_length=200,
        help_text="the study or the record that shows the ground; the aggregator can read it",
        widget=forms.FileInput(attrs={"accept": EVIDENCE}),
    )
    statement = forms.CharField(
        label="Statement",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="the question, the grounds or the conditions; the aggregator reads it",
    )

    LIMITS = ("export_limit_kw", "import_limit_kw", "temporal_limits", "inverter_settings")
    DENIAL = ("reason_code", "evidence")

    @property
    def parts(self) -> list[tuple[str, str, list]]:
        """(kind, legend, fields) of what only one kind of decision needs."""
        return [
            (Decision.Kind.APPROVE_LIMITED, "Limits, for an approval with limits", [self[name] for name in self.LIMITS]),
            (Decision.Kind.DENY, "Ground and evidence, for a denial", [self[name] for name in self.DENIAL]),
        ]

    @property
    def terms(self) -> dict[str, object]:
        """The decision's words and limits, of those fields that its kind has."""
        given = self.cleaned_data
        limited, denied = given["kind"] == Decision.Kind.APPROVE_LIMITED, given["kind"] == Decision.Kind.DENY
        return {
            "kind": given["kind"],
            "statement": given["statement"],
            "reason_code": given["reason_code"] if denied else "",
            **{name: given[name] if limited else None for name in self.LIMITS},
        }


def selection_of(data, query: str) -> dict:
    """The selection that a table's boxes make: all rows of the filter, or the numbers ticked."""
    if data.get("all_in_filter"):
        return {"filter": data.get("filter", query)}
    return {"rows": [int(value) for value in data.getlist("selected") if value.isdecimal() and len(value) < 19]}


class DecisionFileForm(forms.Form):
    """Decisions as a table, and the evidence that its denials share."""

    file = table_file(
        "Columns: external_id or row_number, decision, reason_code, statement, export_limit_kw, import_limit_kw. "
        "The file is checked as a whole: if any row is wrong, nothing is decided."
    )
    evidence = forms.FileField(
        label="Evidence for the denials in the file", required=False, max_length=200, widget=forms.FileInput(attrs={"accept": EVIDENCE})
    )


class RegulatorForm(forms.Form):
    """What a regulator says of a review; to a question yes or no."""

    allows = forms.ChoiceField(
        label="Your decision",
        choices=(("yes", "Participation may go on"), ("no", "Participation may not go on")),
        widget=forms.RadioSelect,
    )
    statement = forms.CharField(max_length=4000, widget=forms.Textarea(attrs={"rows": 4}), help_text="utility and aggregator read it")

    def __init__(self, *args, decides: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not decides:
            del self.fields["allows"]

    @property
    def said(self) -> dict:
        """What the service takes."""
        given = self.cleaned_data
        return {"statement": given["statement"], "allows": given["allows"] == "yes" if "allows" in given else None}


class RejectForm(forms.Form):
    """Why a proposed denial is not confirmed."""

    reason = forms.CharField(label="Why the denial is not confirmed", max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
