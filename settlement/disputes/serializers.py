"""How disputes, their parts, proposals, determinations and bundles look in the API."""

from rest_framework import serializers

from moc.rest.serializers import Flat, slug_of
from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.forms import TEXT
from settlement.disputes.models import BundleItem, Dispute, DisputePart, Side


def quantity() -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=14, decimal_places=3, required=False, allow_null=True, default=None)


def inverter() -> serializers.DictField:
    help_text = "IEEE 1547 settings that the DERs shall keep, beside a limit"
    return serializers.DictField(required=False, allow_null=True, default=None, help_text=help_text)


class DisputeSerializer(Flat):
    """Where a dispute stands. It is about a review, about one row of a submission, or about an override."""

    id = serializers.UUIDField(source="uuid")
    aggregator = slug_of("aggregator")
    edc = slug_of("edc", "the utility's slug")
    tso = slug_of("tso", "the RTO's slug", allow_null=True)
    rerra = slug_of("rerra", "the regulator's slug", allow_null=True)
    review = serializers.UUIDField(source="review.uuid", allow_null=True)
    submission = serializers.UUIDField(source="row.submission.uuid", allow_null=True)
    row = serializers.IntegerField(source="row.row_number", allow_null=True)
    override = serializers.UUIDField(source="override.uuid", allow_null=True)
    decision = serializers.UUIDField(source="decision.uuid", allow_null=True)

    class Meta:
        model = Dispute
        fields = (
            "id title aggregator edc tso rerra review submission row override decision claim status level outcome due_at overdue_at turn "
            "turn_due_at opened_at rto_since rerra_since closed_at bundle_count bundle_sha256"
        ).split()


class OpenDispute(serializers.Serializer):
    """The subject: a row of a submission, a review, or an override of a qualification."""

    submission = serializers.UUIDField(required=False)
    row = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1, help_text="the row's number")
    review = serializers.UUIDField(required=False)
    override = serializers.UUIDField(required=False)
    claim = serializers.CharField(max_length=TEXT)

    def validate(self, attrs: dict) -> dict:
        """One subject."""
        named = {name for name in ("submission", "row", "review", "override") if name in attrs}
        if named not in ({"submission", "row"}, {"review"}, {"override"}):
            raise serializers.ValidationError("Name a submission and a row of it, or a review, or an override.")
        return attrs


class DisputePartSerializer(Flat):
    """A part of the file. What is confidential is there only for those who may read it."""

    id = serializers.UUIDField(source="uuid")
    dispute = serializers.UUIDField(source="dispute.uuid")
    author = slug_of("author")
    answers = serializers.UUIDField(source="answers.uuid", allow_null=True, help_text="the question that it answers")

    class Meta:
        model = DisputePart
        fields = (
            "id dispute kind level side author is_shared text document_name document_sha256 asked due_at answers held_at attendees "
            "created_at"
        ).split()


class FilePart(serializers.Serializer):
    """What is put to the file. Files come in a form (multipart)."""

    kind = serializers.ChoiceField(choices=DisputePart.Kind.choices)
    text = serializers.CharField(max_length=TEXT)
    is_shared = serializers.BooleanField(required=False, default=True, help_text="no: confidential; of evidence and answers")
    asked = serializers.ChoiceField(choices=Side.choices, required=False, help_text="of a question")
    answers = serializers.UUIDField(required=False, help_text="of an answer: the question")
    held_at = serializers.DateTimeField(required=False, help_text="of a meeting")
    attendees = serializers.CharField(required=False, max_length=500, help_text="of a meeting")
    file = serializers.FileField(required=False)

    OWN = {"question": {"asked"}, "meeting": {"held_at", "attendees"}, "answer": {"answers", "is_shared"}, "evidence": {"is_shared"}}

    def validate(self, attrs: dict) -> dict:
        """What a kind does not have is not sent with it; an answer names its question."""
        own = {"kind", "text", "file", *self.OWN.get(attrs["kind"], ())}
        if attrs["kind"] == DisputePart.Kind.ANSWER and "answers" not in attrs:
            raise serializers.ValidationError({"answers": ["Name the question."]})
        return {name: value for name, value in attrs.items() if name in own}


class ProposalSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    dispute = serializers.UUIDField(source="dispute.uuid")
    decision = serializers.UUIDField(source="decision.uuid", allow_null=True)

    class Meta:
        model = SettlementProposal
        fields = (
            "id dispute side terms effect export_limit_kw import_limit_kw inverter_settings status proposed_at answered_at decision".split()
        )


class Propose(serializers.Serializer):
    """Terms of a settlement."""

    effect = serializers.ChoiceField(choices=SettlementProposal.Effect.choices)
    terms = serializers.CharField(max_length=TEXT)
    export_limit_kw = quantity()
    import_limit_kw = quantity()
    inverter_settings = inverter()


class DeterminationSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    dispute = serializers.UUIDField(source="dispute.uuid")
    authority = slug_of("authority")
    decision = serializers.UUIDField(source="decision.uuid", allow_null=True)

    class Meta:
        model = Determination
        fields = (
            "id dispute authority level outcome reasons export_limit_kw import_limit_kw inverter_settings status proposed_at confirmed_at "
            "code document_sha256 decision"
        ).split()


class Draft(serializers.Serializer):
    """A draft of a determination."""

    outcome = serializers.ChoiceField(choices=Determination.Outcome.choices)
    reasons = serializers.CharField(max_length=TEXT)
    export_limit_kw = quantity()
    import_limit_kw = quantity()
    inverter_settings = inverter()


class BundleItemSerializer(Flat):
    """One frozen record: `sha256` is the hash of the text in `content`."""

    id = serializers.IntegerField()

    class Meta:
        model = BundleItem
        fields = ["id", "kind", "source", "source_key", "audience", "stood_at", "content", "sha256"]
