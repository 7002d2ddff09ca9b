"""API: seals, proofs of single rows, and verifications."""

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.access import policy
from moc.portal.paging import Sort
from moc.rest.conditions import idempotent
from moc.rest.resources import Resource
from moc.rest.serializers import Flat
from moc.seals import proofs, services
from moc.seals.models import Seal, Verification


class SealSerializer(Flat):
    """What was signed (`statement`, letter by letter), the Ed25519 signature in base64, and the name of the key."""

    class Meta:
        model = Seal
        fields = ["number", "sealed_at", "row_count", "statement", "signature", "key", "digest"]


class SealedBySerializer(serializers.Serializer):
    """A seal as it is published."""

    statement = serializers.CharField()
    signature = serializers.CharField()
    key = serializers.CharField()


class ProofSerializer(serializers.Serializer):
    """The proof of a row, for check_proof.py: its text, the leaves of its block, the way to the root, and the seal."""

    table = serializers.CharField()
    key = serializers.IntegerField()
    columns = serializers.ListField(child=serializers.JSONField(), help_text="[name, whether its SHA-256 stands for the value]")
    row = serializers.CharField(help_text="the row as a composite literal of PostgreSQL")
    position = serializers.IntegerField()
    leaves = serializers.CharField()
    column_hashes = serializers.CharField()
    path = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    seal = SealedBySerializer()


class Seals(Resource):
    """Seals, newest first."""

    model = Seal
    serializer_class = SealSerializer
    sorts = (Sort("-number", ("-number",)), Sort("number", ("number",)))
    lookup_field = "number"
    lookup_value_converter = "int"

    @extend_schema(responses=ProofSerializer, summary="The proof of one row of a sealed table, by its key", filters=False)
    @action(detail=False, url_path="proofs/<slug:table>/<int:row>", url_name="proof")
    def proof(self, request, table: str, row: int, **kwargs) -> Response:
        made = proofs.proof(actor=request.user, table=table, row=row)
        if made is None:
            raise Http404
        return Response(made)


class VerificationSerializer(Flat):
    """What was read and found; `unsealed` rows were written since the last seal."""

    id = serializers.UUIDField(source="uuid")
    last_seal = serializers.IntegerField(source="last_seal_id", allow_null=True)
    findings = serializers.ListField(
        child=serializers.JSONField(), help_text="the first thousand: kind, sentence, seal, table, row, fields"
    )

    class Meta:
        model = Verification
        fields = ["id", "at", "last_seal", "row_count", "unsealed", "finding_count", "findings"]


class StartedSerializer(serializers.Serializer):
    """The job that does it."""

    job = serializers.UUIDField(help_text="follow it below jobs/; its outcome names the verification")


class Verifications(Resource):
    """Verifications of all sealed history, newest first. POST starts one: the answer is 202, its Location the job."""

    model = Verification
    permission = "audit"
    serializer_class = VerificationSerializer

    def initial(self, request, *args, **kwargs) -> None:
        """For those who may audit; for others there is nothing here."""
        super().initial(request, *args, **kwargs)
        if not policy.allows(request.user, self.permission):
            raise Http404

    @extend_schema(request=None, responses={202: StartedSerializer}, summary="Have all sealed history verified")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        job = services.ask_verification(actor=request.user)
        response = Response({"job": str(job.uuid)}, status=202)
        response["Location"] = request.build_absolute_uri(reverse("api-job-detail", args=[job.uuid]))
        return response
