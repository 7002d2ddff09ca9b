"""Pages of members of registered aggregations: who joins and who leaves, as filings; and the RTO's validation of who joins."""

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property

from moc.access import policy
from moc.portal import Column, Detail, List, Table, Update
from registry.aggregations.views import ChangeMembers, MemberFile
from registry.ders.choices import Technology
from registry.submissions import reports
from registry.submissions.forms.changing import DenyForm, FiledMembersForm, MembersFileForm, ValidateForm
from registry.submissions.kinds import Kind
from registry.submissions.membership import MemberValidation
from registry.submissions.models import Submission
from registry.submissions.services import members, validating

LIST = (("Aggregations", "registry:aggregation_list"),)
VALIDATIONS = (*LIST, ("Validations of members", "registry:member_validation_list"))
ONLY_THEM = "A filing: the utilities review these DERs only, the others go on. Nothing reaches a utility before you attest and submit it."


class Filed:
    """A page that ends in a draft of a filing about members."""

    kind = Kind.ADD

    def done_url(self, result: Submission) -> str:
        return reverse("registry:submission_detail", args=[result.uuid])

    def allowed(self) -> bool:
        return super().allowed() and self.aggregation.status in members.membership.REGISTERED


class Join(Filed, ChangeMembers):
    """DERs that join a registered aggregation."""

    title = "File who joins"
    lead = ONLY_THEM
    submit_label = "Start the draft"
    form_class = FiledMembersForm
    file_page = "registry:aggregation_members_filed"

    def change(self, form) -> Submission:
        said = {"ders": form.chosen(), "terms": form.terms(), "reason": form.cleaned_data["reason"]}
        only_good = form.cleaned_data["only_good"]
        return members.start(actor=self.request.user, aggregation=self.aggregation, kind=self.kind, only_good=only_good, **said)


class Leave(Join):
    """Members that leave a registered aggregation."""

    title = "File who leaves"
    lead = "A filing: an exit is reviewed in few days, and silence is approval. The other members go on."
    leaving = True
    kind = Kind.DROP


class ByFile(Filed, MemberFile):
    """Who joins or leaves, by file."""

    title = "File members by table"
    lead = ONLY_THEM
    form_class = MembersFileForm

    def perform(self, form) -> Submission:
        given = form.cleaned_data
        how = {"kind": given["act"], "only_good": given["rows"] == "good", "reason": given["reason"], "upload": given["file"]}
        return members.receive_file(actor=self.request.user, aggregation=self.aggregation, **how)


VALIDATION_TABLE = Table(
    caption="Validations of members",
    url=lambda row: reverse("registry:member_validation", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No RTO validates who joins",
    columns=(
        Column("aggregation__name", "Aggregation"),
        Column("status", "Status", kind="status", choices=MemberValidation.Status),
        Column("row_count", "DERs", numeric=True),
        Column("aggregator__name", "Aggregator"),
        Column("tso__name", "RTO"),
        Column("due_at", "By", value=lambda row: reports.last_day(row["due_at"]), needs=("due_at",)),
    ),
)


class ValidationList(List):
    """Who joins which aggregation, where the RTO validates it."""

    model = MemberValidation
    title = "Validations of members"
    lead = "DERs that the utilities approved join when the RTO has validated them. Only where its rule set says so."
    noun = "validations"
    table = VALIDATION_TABLE
    parents = LIST


class ValidationDetail(Detail):
    """Who joins, and what the RTO says of it."""

    model = MemberValidation
    parents = VALIDATIONS
    related = ("aggregation", "aggregator", "tso")

    def actions(self) -> list[tuple[str, str, bool]]:
        record, user = self.object, self.request.user
        may = record.status == MemberValidation.Status.OPEN and policy.allows(user, validating.VALIDATE, record.tso)
        names = (("Validate", "member_validate", True), ("Deny", "member_deny", False))
        return [(label, reverse(f"registry:{name}", args=[record.uuid]), main) for label, name, main in names] if may else []

    def facts(self) -> list:
        record = self.object
        joins = [
            ("Aggregation", str(record.aggregation), None, None),
            ("Aggregator", str(record.aggregator), None, None),
            ("RTO", str(record.tso), None, None),
            ("To be decided by", reports.last_day(record.due_at), None, "the end of the day"),
        ]
        parts = [(Technology(part["technology"]).label, f"{part['ders']:,} DERs, {part['kw']:,.1f}", "kW", None) for part in record.figures]
        decided = [("Rule", record.rule, None, None), ("Statement", record.statement, None, None), ("At", record.decided_at, None, None)]
        return [("The change", joins), ("Who joins", parts), ("Decision", [row for row in decided if row[1]])]


class Validate(Update):
    """The RTO validates who joins."""

    model = MemberValidation
    title = "Validate who joins"
    permission = validating.VALIDATE
    form_class = ValidateForm
    submit_label = "Validate"
    success = "They are members."

    @cached_property
    def object(self) -> MemberValidation:
        return get_object_or_404(self.get_queryset().select_related("tso", "aggregation"), uuid=self.kwargs["uuid"])

    @property
    def lead(self) -> str:
        return f"{self.object}: the rules of the market are asked with them as members, before anything is kept."

    def allowed(self) -> bool:
        return policy.allows(self.request.user, self.permission, self.object.tso)

    def perform(self, form) -> MemberValidation:
        return validating.validate(actor=self.request.user, validation=self.object, **form.cleaned_data)

    def done_url(self, result) -> str:
        return reverse("registry:member_validation", args=[self.object.uuid])

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"cancel_url": self.done_url(None)} | kwargs)


class Deny(Validate):
    """The RTO denies who joins, by a rule that would be broken."""

    title = "Deny who joins"
    form_class = DenyForm
    submit_label = "Deny"
    success = "They do not join; the aggregator is told by which rule."

    def get_form_kwargs(self) -> dict:
        return {"rules": [(code, f"{code}: {rule.sentence}") for code, rule in validating.DENIALS.items()]}

    def perform(self, form) -> MemberValidation:
        return validating.deny(actor=self.request.user, validation=self.object, **form.cleaned_data)
