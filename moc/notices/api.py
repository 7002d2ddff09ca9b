"""API: the caller's notices."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.notices import services
from moc.notices.models import Notice
from moc.notices.views import NoticeFilterSet
from moc.rest.conditions import idempotent
from moc.rest.resources import Resource
from moc.rest.serializers import Flat


class NoticeSerializer(Flat):
    id = serializers.UUIDField(source="uuid")

    class Meta:
        model = Notice
        fields = ["id", "event", "subject", "body", "url", "created_at", "read_at"]


class PreferenceSerializer(serializers.Serializer):
    """How the caller is told of one kind of event."""

    event = serializers.SlugField()
    in_app = serializers.BooleanField()
    by_email = serializers.BooleanField()


class Notices(Resource):
    """What you were told, newest first."""

    model = Notice
    serializer_class = NoticeSerializer
    filterset_class = NoticeFilterSet

    @extend_schema(request=None, responses=NoticeSerializer, summary="Mark a notice as read")
    @action(detail=True, methods=["post"])
    @idempotent
    def read(self, request, **kwargs) -> Response:
        notice = self.get_object()
        services.read(user=request.user, notices=Notice.objects.filter(pk=notice.pk))
        return self.answer(self.get_object())

    @extend_schema(responses=PreferenceSerializer(many=True), summary="How you are told of each kind of event", filters=False)
    @action(detail=False, pagination_class=None, filterset_class=None)
    def preferences(self, request, **kwargs) -> Response:
        names = list(PreferenceSerializer().fields)
        return Response([dict(zip(names, each, strict=True)) for each in services.preferences_of(request.user)])

    @extend_schema(request=PreferenceSerializer(many=True), responses=PreferenceSerializer(many=True), summary="Choose how you are told")
    @preferences.mapping.post
    def prefer(self, request, **kwargs) -> Response:
        body = PreferenceSerializer(data=request.data, many=True)
        body.is_valid(raise_exception=True)
        chosen = {each["event"]: (each["in_app"], each["by_email"]) for each in body.validated_data}
        services.prefer(user=request.user, choices=chosen)
        return self.preferences(request)
