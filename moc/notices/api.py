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
