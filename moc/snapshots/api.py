"""API: the registry as recorded at an instant."""

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization
from moc.rest.conditions import idempotent
from moc.rest.resources import Resource
from moc.rest.serializers import Flat, slug_of
from moc.snapshots import services
from moc.snapshots.models import Snapshot


class SnapshotSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    organization = slug_of("organization")
    as_recorded_at = serializers.DateTimeField(source="moment")
    as_valid_on = serializers.DateField(source="valid_on", allow_null=True)
    seal = serializers.IntegerField(source="seal_id", allow_null=True, help_text="covers every row; see seals/")
    document = serializers.UUIDField(source="document.uuid", allow_null=True, help_text="fetch its file below documents/")
    sha256 = serializers.CharField(source="document.sha256", allow_null=True)
    job = serializers.UUIDField(source="job.uuid", allow_null=True, help_text="follow it below jobs/")

    class Meta:
        model = Snapshot
        fields = "id organization as_recorded_at as_valid_on format seal row_count document sha256 job created_at expires_at".split()


class AskSnapshot(serializers.Serializer):
    """Which instant, for whom, and as what files."""

    organization = serializers.SlugField(required=False, help_text="by slug; needed by members of several")
    as_recorded_at = serializers.DateTimeField(required=False, help_text="a past moment; now, without it")
    as_valid_on = serializers.DateField(required=False, help_text="of records that hold during days, those that hold on this one")
    format = serializers.ChoiceField(Snapshot.Format.choices, required=False, default=Snapshot.Format.PARQUET)


class Snapshots(Resource):
    """Snapshots of the registry, newest first. POST takes one: the answer is 202, its Location the status resource."""

    model = Snapshot
    permission = services.PERMISSION
    serializer_class = SnapshotSerializer

    def initial(self, request, *args, **kwargs) -> None:
        """For those who may audit; for others there is nothing here."""
        super().initial(request, *args, **kwargs)
        if not policy.allows(request.user, self.permission):
            raise Http404

    @extend_schema(request=AskSnapshot, responses={202: SnapshotSerializer}, summary="Take the registry as recorded at a moment as files")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        body = AskSnapshot(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        organization = _organization(request.user, said.get("organization", ""))
        when = {"moment": said.get("as_recorded_at"), "valid_on": said.get("as_valid_on")}
        snapshot = services.ask(actor=request.user, organization=organization, format=said["format"], **when)
        response = self.answer(snapshot, status=202)
        response["Location"] = request.build_absolute_uri(reverse("api-snapshot-detail", args=[snapshot.uuid]))
        return response


def _organization(user, wanted: str) -> Organization:
    """The one that is named, or the only one that there is."""
    reached = policy.reach(user, services.PERMISSION)
    mine = {each.slug: each for each in policy.own_organizations(user) if each.pk in reached}
    wanted = wanted or (next(iter(mine)) if len(mine) == 1 else "")
    if wanted not in mine:
        raise ValidationError({"organization": [f"Name one of those for which you audit: {', '.join(sorted(mine))}."]})
    return mine[wanted]
