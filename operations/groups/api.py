"""API: envelopes of groups: an aggregation, a feeder, a service transformer or a service point."""

from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from moc.rest.permissions import SignedIn
from moc.rest.rendering import Json
from moc.rest.resources import Streamed
from operations.groups import reports

ASKED = "Name one group: aggregation, feeder, transformer or service_point."


class GroupBindsSerializer(serializers.Serializer):
    """What of the grid stops members."""

    feeder = serializers.CharField()
    way = serializers.ChoiceField(choices=["import", "export"])
    what = serializers.CharField()
    members = serializers.IntegerField(help_text="that it stops at once, at most")
    intervals = serializers.IntegerField(help_text="in which it stops any of them")


class GroupKvarSerializer(serializers.Serializer):
    """Reactive power (kvar) that members may inject together, one value an interval; negative: absorbed; null: known of nobody."""

    least = serializers.ListField(child=serializers.FloatField(allow_null=True))
    most = serializers.ListField(child=serializers.FloatField(allow_null=True))


class EnvelopeGroupSerializer(serializers.Serializer):
    """What members may do together: injection in kW between min_kw and max_kw, one value an interval; import limit = −min_kw."""

    kind = serializers.ChoiceField(choices=list(reports.KINDS))
    name = serializers.CharField(help_text="the aggregation's id, or the utility's code")
    starts_at = serializers.DateTimeField()
    step_minutes = serializers.IntegerField()
    min_kw = serializers.ListField(child=serializers.FloatField())
    max_kw = serializers.ListField(child=serializers.FloatField())
    without_set = serializers.ListField(
        child=serializers.IntegerField(), help_text="members that no set holds: of them limits without envelope are counted"
    )
    kvar_importing = GroupKvarSerializer(help_text="while they draw; of members without registered capability or set nothing is in it")
    kvar_exporting = GroupKvarSerializer(help_text="while they inject; likewise")
    without_kvar = serializers.ListField(child=serializers.IntegerField(), help_text="members that are not in the sums of kvar")
    members = serializers.IntegerField(help_text="active DERs that the caller may see")
    binds = GroupBindsSerializer(many=True)


class EnvelopeGroups(ViewSetMixin, Streamed):
    """The envelope of a group: the sum of the limits in force of its members that the caller may see."""

    serializer_class = EnvelopeGroupSerializer
    permission_classes = [SignedIn]
    renderer_classes = [Json]

    @extend_schema(
        parameters=[
            OpenApiParameter("aggregation", UUID, description="the aggregation's id"),
            OpenApiParameter("feeder", str, description="the utility's code"),
            OpenApiParameter("transformer", str, description="the utility's code"),
            OpenApiParameter("service_point", str, description="the utility's id of the usage point"),
            OpenApiParameter("edc", str, description="the utility's slug, where two have the same code"),
        ],
        responses=EnvelopeGroupSerializer,
        summary="The envelope of a group",
    )
    def list(self, request, **kwargs) -> Response:
        given = request.query_params
        asked = [kind for kind in reports.KINDS if kind in given]
        if len(asked) != 1:
            raise ValidationError({"aggregation": [ASKED]})
        (kind,) = asked
        group = self._group(request.user, kind, given[kind], given.get("edc", ""))
        sums = reports.together(request.user, group.members)
        names = ("starts_at", "step_minutes", "min_kw", "max_kw", "without_set", "binds", "without_kvar")
        said = {name: getattr(sums, name) for name in names}
        said |= {f"kvar_{way}ing": dict(zip(("least", "most"), pair, strict=True)) for way, pair in sums.kvar.items()}
        name = str(getattr(group.record, reports.KINDS[kind].name))
        return Response(EnvelopeGroupSerializer(said | {"kind": kind, "name": name, "members": len(group.members)}).data)

    def _group(self, user, kind: str, named: str, edc: str) -> reports.Group:
        """The one group of a name; 404 for what the caller may not see."""
        lookup: dict = {reports.KINDS[kind].name: named}
        if kind == "aggregation":
            lookup["uuid"] = _uuid(named)
        elif edc:
            lookup["edc__slug"] = edc
        groups = reports.found(user, kind, **lookup)
        if not groups:
            raise Http404
        if len(groups) > 1:
            raise ValidationError({"edc": ["Two utilities have this code: name the utility by its slug."]})
        return groups[0]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValidationError({"aggregation": ["Give the aggregation's id, a UUID."]}) from None
