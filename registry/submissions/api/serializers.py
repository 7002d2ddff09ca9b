"""How submissions, filed rows, findings, reviews and decisions are sent and read."""

from rest_framework import serializers

from moc.jobs.api import JobSerializer
from moc.rest.serializers import ANY_ID, Flat, example, slug_of
from registry.ders.dictionary import FIELDS, PERSONAL
from registry.participants.api import OwnerSerializer
from registry.submissions.models import Decision, Finding, StagedDer, Submission, UtilityReview
from registry.submissions.services.changes import KINDS

FACTS = [name for name in FIELDS if name not in PERSONAL]
CHOSEN = [(kind.value, kind.label) for kind in Decision.BY_PEOPLE]
MOST_ROWS = 100_000


class SubmissionSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    aggregator = slug_of("aggregator")
    aggregation = serializers.UUIDField(source="aggregation.uuid", allow_null=True, help_text="of which DERs join or leave")
    continues = serializers.UUIDField(source="continues.uuid", allow_null=True, help_text="the submission whose bad rows these are")

    class Meta:
        model = Submission
        fields = (
            "id title kind reason source status aggregator aggregation row_count created_at submitted_at attestation_version "
            "attestation_sha256 completeness_due_at resubmit_due_at continues"
        ).split()


class ReviewSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    submission = serializers.UUIDField(source="submission.uuid")
    title = serializers.CharField(source="submission.title")
    edc = slug_of("edc", "the utility's slug")
    aggregator = slug_of("aggregator")
    clock_rule = serializers.IntegerField(source="clock_rule_id", help_text="the rule set row that set the clock")

    class Meta:
        model = UtilityReview
        fields = (
            "id submission title edc aggregator status row_count scope scope_reason started_at due_at pauses_clock paused_at escalated_at "
            "closed_at clock_rule"
        ).split()


class ReviewDetailSerializer(ReviewSerializer):
    """A review with its rows counted by decision."""

    rows_by_status = serializers.DictField(
        source="*", child=serializers.IntegerField(), allow_null=True, help_text="null as of a past moment: filed rows keep no versions"
    )

    class Meta(ReviewSerializer.Meta):
        fields = [*ReviewSerializer.Meta.fields, "rows_by_status"]


class Counts(serializers.Serializer):
    """Rows that you may see: all, without and with errors, with warnings, and by what they change in the registry."""

    rows = serializers.IntegerField()
    good = serializers.IntegerField()
    bad = serializers.IntegerField()
    warned = serializers.IntegerField()
    changes = serializers.DictField(child=serializers.IntegerField(), help_text="new, changed, unchanged")


class RuleCount(serializers.Serializer):
    """Findings of one rule."""

    code = serializers.CharField()
    severity = serializers.CharField()
    findings = serializers.IntegerField()
    rows = serializers.IntegerField()
    sentence = serializers.CharField()
    remedy = serializers.CharField()


class SubmissionDetailSerializer(SubmissionSerializer):
    """A submission as its status resource: the job that reads its file, counts, findings by rule, reviews."""

    job = JobSerializer(source="*", allow_null=True)
    unknown_columns = serializers.ListField(source="*", child=serializers.CharField(), help_text="columns of the file that were ignored")
    counts = Counts(source="*")
    findings_by_rule = RuleCount(source="*", many=True)
    reviews = ReviewSerializer(source="*", many=True)

    class Meta(SubmissionSerializer.Meta):
        fields = [*SubmissionSerializer.Meta.fields, "job", "unknown_columns", "counts", "findings_by_rule", "reviews"]


class FindingSerializer(Flat):
    row = serializers.IntegerField(source="row_number")
    sentence = serializers.CharField(source="*")
    remedy = serializers.CharField(source="*")
    cites = serializers.CharField(source="*")

    class Meta:
        model = Finding
        fields = ["row", "column", "value", "code", "severity", "sentence", "remedy", "cites"]


class RowSerializer(Flat):
    row = serializers.IntegerField(source="row_number")
    edc = slug_of("edc", "the utility's slug; null while utility_id_eia names none", allow_null=True)
    der = serializers.UUIDField(source="der.uuid", allow_null=True, help_text="the record that the row changes")
    decision = serializers.UUIDField(source="decision.uuid", allow_null=True)
    owner = OwnerSerializer(source="*", allow_null=True, help_text="personal columns, masked, for those who may see them")

    class Meta:
        model = StagedDer
        fields = ["row", "status", "change", "edc", "der", "decision", *FACTS, "owner"]


@example({"model": "AS-8000", "nameplate_ac_kw": 8})
class RowValues(serializers.ModelSerializer):
    """Columns of a filed row to be set: shape only, the rules say the rest. Columns left out keep their value."""

    edc_account_no = serializers.CharField(max_length=40, allow_blank=True, required=False)
    owner_name = serializers.CharField(max_length=120, allow_blank=True, required=False)
    owner_email = serializers.EmailField(allow_blank=True, required=False)
    owner_phone = serializers.CharField(max_length=40, allow_blank=True, required=False)

    class Meta:
        model = StagedDer
        fields = list(FIELDS)

    def to_internal_value(self, data):
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else ()
        if unknown:
            raise serializers.ValidationError({name: ["There is no such column."] for name in sorted(unknown)})
        return super().to_internal_value(data)


class Submit(serializers.Serializer):
    """Attest and submit. `only_good` leaves rows with errors behind in a new draft."""

    attestation_version = serializers.CharField(max_length=20, help_text="the version of the attestation that was read and is accepted")
    only_good = serializers.BooleanField(default=False)


class RowChange(serializers.Serializer):
    """Other values for one DER."""

    der = serializers.UUIDField()
    values = RowValues(partial=True)


@example({"kind": "suspend", "reason": "The inverter is exchanged", "ders": [ANY_ID]})
class StartChange(serializers.Serializer):
    """DERs that change: as they are registered, but for the values given. The draft can be mended and is submitted as any other."""

    kind = serializers.ChoiceField(choices=[(kind.value, kind.label) for kind in KINDS])
    reason = serializers.CharField(max_length=300)
    aggregator = serializers.SlugField(required=False, help_text="whose filing; needed by those who file for several")
    day = serializers.DateField(required=False, allow_null=True, default=None, help_text="the last day of what retires; today if absent")
    ders = serializers.ListField(child=serializers.UUIDField(), required=False, default=list, max_length=MOST_ROWS)
    rows = RowChange(many=True, required=False, default=list)

    def validate(self, attrs: dict) -> dict:
        if not attrs["ders"] and not attrs["rows"]:
            raise serializers.ValidationError("Name the DERs in “ders”, or with their values in “rows”.")
        return attrs


class TableUpload(serializers.Serializer):
    """A table in a form."""

    file = serializers.FileField()
    title = serializers.CharField(required=False, max_length=200)
    aggregator = serializers.SlugField(required=False)


@example({"title": "Dover, spring", "rows": [{"external_id": "D-1", "der_type": "photovoltaic", "nameplate_ac_kw": 7.6}]})
class TableEnvelope(serializers.Serializer):
    """Rows as objects by column name of the data dictionary; title and aggregator stand before the rows."""

    title = serializers.CharField(required=False, max_length=200)
    aggregator = serializers.SlugField(required=False, help_text="whose filing; needed by those who file for several")
    rows = RowValues(many=True)


class DecisionSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    review = serializers.UUIDField(source="review.uuid")
    evidence = serializers.UUIDField(source="evidence.uuid", allow_null=True)
    authority = slug_of("authority", "whose determination of a dispute it carries out", allow_null=True)

    class Meta:
        model = Decision
        fields = (
            "id review kind status reason_code statement evidence export_limit_kw import_limit_kw temporal_limits "
            "inverter_settings row_count decided_at confirmed_at answer basis authority"
        ).split()


@example({"kind": "approve_limited", "rows": [1, 2], "export_limit_kw": 5, "statement": "Until the feeder is rebuilt"})
class Decide(serializers.Serializer):
    """A decision over rows by number, or over all rows still to be decided that a filter lets through ({} is all of them)."""

    kind = serializers.ChoiceField(choices=CHOSEN)
    rows = serializers.ListField(child=serializers.IntegerField(min_value=1), allow_empty=False, max_length=MOST_ROWS, required=False)
    filter = serializers.DictField(
        child=serializers.CharField(allow_blank=True), required=False, help_text="the parameters of the rows' list"
    )
    statement = serializers.CharField(required=False, allow_blank=True, default="", max_length=10_000)
    reason_code = serializers.CharField(required=False, allow_blank=True, default="", help_text=", ".join(Decision.Reason.values))
    evidence = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="a document of this review")
    export_limit_kw = serializers.DecimalField(max_digits=14, decimal_places=3, required=False, allow_null=True, default=None)
    import_limit_kw = serializers.DecimalField(max_digits=14, decimal_places=3, required=False, allow_null=True, default=None)
    temporal_limits = serializers.ListField(child=serializers.DictField(), required=False, allow_null=True, default=None)
    inverter_settings = serializers.DictField(
        required=False, allow_null=True, default=None, help_text="IEEE 1547 settings that the DERs shall keep, beside a limit"
    )

    def validate(self, attrs: dict) -> dict:
        if ("rows" in attrs) == ("filter" in attrs):
            raise serializers.ValidationError("Name the decision's rows either by number in “rows” or by “filter”.")
        return attrs


class Nothing(serializers.Serializer):
    """No body is needed."""


class Answer(serializers.Serializer):
    """What the utility asked for."""

    text = serializers.CharField(max_length=10_000)


class EvidenceUpload(serializers.Serializer):
    """A file that shows the grounds of a denial."""

    file = serializers.FileField()


class DecisionUpload(serializers.Serializer):
    """A table of decisions by external_id or row number, and the evidence of its denials."""

    file = serializers.FileField()
    evidence = serializers.FileField(required=False)


class Attestation(serializers.Serializer):
    """The text in force that a submission attests to."""

    version = serializers.CharField()
    text = serializers.CharField()
    sha256 = serializers.CharField()
