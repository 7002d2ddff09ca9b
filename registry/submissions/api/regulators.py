"""API: a regulator's part in reviews: comments, and answers to its questions."""

from rest_framework import serializers

from moc.rest.resources import Moves
from moc.rest.serializers import Flat, slug_of
from registry.submissions.involvement import RegulatorPart
from registry.submissions.services import regulators


class RegulatorPartSerializer(Flat):
    """What a regulator may say, or said, of a review; utility and aggregator see it from the start."""

    id = serializers.UUIDField(source="uuid")
    review = serializers.UUIDField(source="review.uuid")
    rerra = slug_of("rerra", "the regulator's slug")
    edc = slug_of("edc", "the utility's slug")
    aggregator = slug_of("aggregator")

    class Meta:
        model = RegulatorPart
        fields = [
            "id",
            "review",
            "rerra",
            "edc",
            "aggregator",
            "question",
            "text",
            "status",
            "due_at",
            "allows",
            "statement",
            "answered_at",
        ]


class RegulatorAnswer(serializers.Serializer):
    """Why; and to a question whether participation may go on."""

    statement = serializers.CharField(max_length=4000)
    allows = serializers.BooleanField(required=False, allow_null=True, default=None)


class RegulatorParts(Moves):
    """Regulators' parts in the reviews within your reach."""

    model = RegulatorPart
    serializer_class = RegulatorPartSerializer
    moves = {"answer": RegulatorAnswer}

    def perform(self, actor, obj: RegulatorPart, name: str, **said) -> None:
        regulators.answer(actor=actor, part=RegulatorPart.objects.select_related("rerra").get(pk=obj.pk), **said)
