"""API: reliability findings with their evidence; answered by aggregators, closed by utilities."""

from rest_framework import serializers

from moc.rest.resources import Moves, Versioned
from moc.rest.serializers import Flat, Reason, slug_of
from operations.reliability.filters import FindingFilterSet
from operations.reliability.models import ReliabilityFinding
from operations.reliability.services import findings


class ReliabilityFindingSerializer(Flat):
    """A DER did not do what was asked of it."""

    id = serializers.UUIDField(source="uuid")
    der = serializers.UUIDField(source="der.uuid")
    aggregator = slug_of("aggregator")
    edc = slug_of("edc", "the utility's slug")
    evidence = serializers.JSONField(help_text="the newest cases: [moment, measured, limit, words]")

    class Meta:
        model = ReliabilityFinding
        fields = "id der aggregator edc rule status first_at last_at count evidence found_at".split()


class ReliabilityFindings(Versioned, Moves):
    """Reliability findings within reach. An aggregator answers, a utility asks again or closes; each with the reason."""

    model = ReliabilityFinding
    serializer_class = ReliabilityFindingSerializer
    filterset_class = FindingFilterSet
    moves = {"answer": Reason, "ask_again": Reason, "close": Reason}

    def perform(self, actor, obj: ReliabilityFinding, name: str, **said) -> None:
        findings.move(actor=actor, finding=obj, name=name, **said)
