"""API: the feed of changes (moc.rest.feed)."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView

from moc.rest.feed import Feed, Kind
from moc.rest.permissions import SignedIn

SIZE, MOST = 500, 1_000
EXAMPLE = {
    "results": [
        {
            "kind": "der",
            "id": "01234567-89ab-4cde-8f01-23456789abcd",
            "change": "present",
            "below": [],
            "record": {"id": "01234567-89ab-4cde-8f01-23456789abcd", "status": "active", "nameplate_ac_kw": 7.6},
        },
        {"kind": "der", "id": "89abcdef-0123-4567-89ab-cdef01234567", "change": "gone", "below": [], "record": None},
    ],
    "next": "https://registry.example.org/api/v1/changes/?after=…",
    "more": True,
}


class FeedEntry(serializers.Serializer):
    """A record as it stands, or that it is gone: removed, or out of your sight."""

    kind = serializers.CharField(help_text="the kind of record")
    id = serializers.CharField(help_text="the record's id within its kind")
    change = serializers.ChoiceField(choices=["present", "gone"])
    below = serializers.ListField(
        child=serializers.CharField(), help_text="lists of the record that came into your sight with it: read them"
    )
    record = serializers.DictField(allow_null=True, help_text="as the record's own resource has it")


class FeedPage(serializers.Serializer):
    """A page of the feed."""

    results = FeedEntry(many=True)
    next = serializers.URLField(help_text="where it goes on; ask there again later when there is no more now")
    more = serializers.BooleanField(help_text="whether to ask at once")


class Changes(APIView):
    """Keep a copy in step. Without `after`: every record within your reach, then what changed, in order; always follow `next`.

    A record that is present replaces yours with the same kind and id, one that is gone is removed. A cursor can be used again: the same
    records come, as they stand then. When what you may see changes (a role, a utility's regulator), the answer is 409 FEED-SCOPE: start
    again without `after`.
    """

    permission_classes = [SignedIn]
    kinds: tuple[Kind, ...] = ()

    @extend_schema(
        summary="What there is, then what changed, in order",
        responses=FeedPage,
        examples=[OpenApiExample("A page", EXAMPLE, response_only=True)],
        parameters=[
            OpenApiParameter("after", str, description="cursor, as the address `next` has it"),
            OpenApiParameter("kind", str, many=True, description="only these kinds; the same at every page"),
            OpenApiParameter("page_size", int, description=f"from 1 to {MOST}; {SIZE} when left out"),
        ],
    )
    def get(self, request, **kwargs) -> Response:
        query = request.query_params
        if unknown := set(query) - {"after", "kind", "page_size"}:
            raise ValidationError({name: ["There is no such parameter."] for name in sorted(unknown)})
        feed, size = Feed(self._chosen(query.getlist("kind")), request.user), _size(query.get("page_size", str(SIZE)))
        position = feed.decode(query["after"]) if query.get("after") else None
        if query.get("after") and position is None:
            raise ValidationError({"after": ["This cursor was not given by the feed. Start without one."]})
        page = feed.page(position, size)
        query = query.copy()
        query["after"] = feed.encode(page.position)
        address = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
        return Response({"results": page.results, "next": address, "more": page.more})

    def _chosen(self, names: list[str]) -> list[Kind]:
        if unknown := sorted(set(names) - {kind.name for kind in self.kinds}):
            raise ValidationError({"kind": [f"There is no kind {unknown[0]}. Known: {', '.join(kind.name for kind in self.kinds)}."]})
        return [kind for kind in self.kinds if not names or kind.name in names]


def _size(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MOST)) and 1 <= int(text) <= MOST):
        raise ValidationError({"page_size": [f"Give a number from 1 to {MOST}."]})
    return int(text)
