"""API: an organisation takes its whole part out."""

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
from moc.takeouts import services
from moc.takeouts.models import Takeout


class TakeoutSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    organization = slug_of("organization")
    document = serializers.UUIDField(source="document.uuid", allow_null=True, help_text="fetch its file below documents/")
    sha256 = serializers.CharField(source="document.sha256", allow_null=True)
    job = serializers.UUIDField(source="job.uuid", allow_null=True, help_text="follow it below jobs/")

    class Meta:
        model = Takeout
        fields = ["id", "organization", "purpose", "plain", "row_count", "document", "sha256", "job", "created_at", "expires_at"]


class Ask(serializers.Serializer):
    """Whose part, and how personal data stands in it."""

    organization = serializers.SlugField(required=False, help_text="by slug; needed by administrators of several")
    purpose = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")
    plain = serializers.BooleanField(required=False, default=False, help_text="personal data in full; needs a purpose")


class Takeouts(Resource):
    """Take-outs of your organization, newest first. POST starts one: the answer is 202, its Location the status resource."""

    model = Takeout
    permission = services.PERMISSION
    serializer_class = TakeoutSerializer

    @extend_schema(request=Ask, responses={202: TakeoutSerializer}, summary="Take the organization's whole part out as files")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        if not policy.allows(request.user, services.PERMISSION):
            raise policy.NotPermitted("You may not take anything out.")
        body = Ask(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        takeout = services.ask(actor=request.user, organization=_organization(request.user, said.pop("organization", "")), **said)
        response = self.answer(takeout, status=202)
        response["Location"] = request.build_absolute_uri(reverse("api-takeout-detail", args=[takeout.uuid]))
        return response


def _organization(user, wanted: str) -> Organization:
    """The one that is named, or the only one that there is."""
    mine = {each.slug: each for each in Organization.objects.filter(pk__in=policy.reach(user, services.PERMISSION)).order_by("slug")}
    wanted = wanted or (next(iter(mine)) if len(mine) == 1 else "")
    if wanted not in mine:
        raise ValidationError({"organization": [f"Name one of those that you administer: {', '.join(mine)}."]})
    return mine[wanted]
