"""API: what waits for the caller, as the home page has it."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from moc.portal.queues import waiting_for
from moc.rest.permissions import SignedIn


class Due(serializers.Serializer):
    """One thing that waits."""

    title = serializers.CharField()
    url = serializers.CharField(help_text="the page about it")
    due_at = serializers.DateTimeField(source="due", allow_null=True)


class Queue(serializers.Serializer):
    """One queue: how much waits (counted to 1,001), and the first deadlines."""

    name = serializers.CharField()
    label = serializers.CharField()
    url = serializers.CharField(help_text="the page that lists it")
    count = serializers.IntegerField()
    urgent = serializers.BooleanField(help_text="a deadline is near or over")
    first = Due(source="items", many=True)


EXAMPLE = OpenApiExample(
    "A reviewer",
    [
        {
            "name": "submissions.reviews_due",
            "label": "Reviews to decide",
            "url": "/registry/reviews/",
            "count": 1,
            "urgent": False,
            "first": [{"title": "June batch, Sunny Aggregation", "url": "/registry/reviews/…/", "due_at": "2026-12-01T05:00:00Z"}],
        }
    ],
    response_only=True,
)


class Waiting(APIView):
    """What waits for the caller, urgent queues first. A to-do resolves by itself: it is gone when the thing is done."""

    permission_classes = [SignedIn]

    @extend_schema(responses=Queue(many=True), summary="The caller's work queues with the first deadlines", examples=[EXAMPLE])
    def get(self, request, **kwargs) -> Response:
        return Response(Queue(waiting_for(request.user), many=True).data)
