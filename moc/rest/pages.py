"""Pages of a list: by keyset, within the user's scope, in one shape: {"results": [...], "next": address, "previous": address}."""

from collections.abc import Iterator

from django.core.validators import slug_re
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.http import urlencode
from django_filters import DateFromToRangeFilter, MultipleChoiceFilter, NumberFilter, RangeFilter
from django_filters.constants import EMPTY_VALUES
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from moc.access import policy, tenure
from moc.access.models import Organization
from moc.portal import paging
from moc.portal.streaming import Tally, streamed
from moc.rest.rendering import Csv, table
from moc.rest.schema import AS_OF

SIZE, MOST = 50, 500
CONTROLS = ("after", "before", "page_size", "sort", "count", "fields")


class Keyset(BasePagination):
    """Every page costs the same, however deep; cursors are opaque, and say their own address."""

    def page(self, rows: QuerySet, view, *, branches) -> Response:
        """One page of `rows` as the view's serializer lays them out. Raises ValidationError for parameters that nobody was told."""
        query = view.request.query_params
        sort = self._sort(query, view.offered_sorts())
        edges = {name: query.get(name, "") for name in ("after", "before")}
        self._check_cursor(rows, sort, edges)
        if view.request.accepted_renderer.format == Csv.format:
            return self._whole(rows, view, sort, edges["after"], branches)
        found = paging.find(rows, branches, sort, self._size(query), **edges)
        results = self._laid(rows, view, found.keys)
        body = {
            "results": results,
            "next": self._address(view.request, after=found.following),
            "previous": self._address(view.request, before=found.previous),
        }
        return Response(body | self._count(query, rows, branches))

    @staticmethod
    def _laid(rows: QuerySet, view, keys: list) -> list[dict]:
        return view.sparse(view.lay(rows.model.objects.filter(pk__in=keys), keys)) if keys else []

    def _whole(self, rows: QuerySet, view, sort: paging.Sort, after: str, branches) -> StreamingHttpResponse:
        """The whole list as CSV, from a cursor on, page by page in bounded memory; for those who may export."""
        policy.require(view.request.user, "export")

        def read() -> Iterator[dict]:
            following = after
            while following is not None:
                found = paging.find(rows, branches, sort, MOST, after=following)
                yield from self._laid(rows, view, found.keys)
                following = found.following

        tally = Tally(f"API: {rows.model._meta.verbose_name_plural}", Csv.format, getattr(view, "moment", None))
        blocks = streamed(view.request._request, table(tally.each(read()), view.columns()), tally)
        response = StreamingHttpResponse(blocks, content_type="text/csv; charset=utf-8")
        response.tally = tally
        return response

    @staticmethod
    def _sort(query, sorts) -> paging.Sort:
        wanted = query.get("sort", sorts[0].name)
        sort = next((sort for sort in sorts if sort.name == wanted), None)
        if sort is None:
            raise ValidationError({"sort": [f"Choose one of {', '.join(sort.name for sort in sorts)}."]})
        return sort

    @staticmethod
    def _size(query) -> int:
        size = query.get("page_size", str(SIZE))
        if not (size.isascii() and size.isdecimal() and len(size) <= len(str(MOST)) and 1 <= int(size) <= MOST):
            raise ValidationError({"page_size": [f"Give a number from 1 to {MOST}."]})
        return int(size)

    @staticmethod
    def _check_cursor(rows: QuerySet, sort: paging.Sort, edges: dict) -> None:
        fields = sort.fields_of(rows.model)
        for name, cursor in edges.items():
            if cursor and paging.decode(cursor, fields) is None:
                raise ValidationError({name: ["This cursor was not given by a page in this order. Start at the first page."]})

    @staticmethod
    def _count(query, rows: QuerySet, branches) -> dict:
        """Counting is asked for: `count=capped` stops at 10,001, `count=exact` does not."""
        wanted = query.get("count")
        if wanted is None:
            return {}
        if wanted == "exact":
            return {"count": sum(part.order_by().count() for part in paging.parts(rows, branches))}
        if wanted == "capped":
            return {"count": paging.count_up_to(rows, branches)}
        raise ValidationError({"count": ["Choose capped or exact."]})

    @staticmethod
    def _address(request, **cursor) -> str | None:
        ((name, value),) = cursor.items()
        if value is None:
            return None
        query = [(key, each) for key, values in request.query_params.lists() if key not in ("after", "before") for each in values]
        return request.build_absolute_uri(f"{request.path}?{urlencode([*query, (name, value)])}")

    def get_paginated_response_schema(self, schema: dict) -> dict:
        address = {"type": "string", "format": "uri", "nullable": True}
        count = {"type": "integer", "description": "only when asked for"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": address, "previous": address, "count": count},
        }

    def get_schema_operation_parameters(self, view) -> list[dict]:
        sorts = [sort.name for sort in view.sorts]
        text = {"type": "string"}
        return [
            _parameter("after", text, "cursor, as the address `next` has it"),
            _parameter("before", text, "cursor, as the address `previous` has it"),
            _parameter("page_size", {"type": "integer", "minimum": 1, "maximum": MOST, "default": SIZE}, ""),
            _parameter("sort", {"type": "string", "enum": sorts, "default": sorts[0]}, ""),
            _parameter("fields", text, "only these fields of each record, separated by commas"),
            _parameter("count", {"type": "string", "enum": ["capped", "exact"]}, "count the list, at most to 10,001 or exactly"),
        ]


class Filters(BaseFilterBackend):
    """The portal's filterset on the query string. Unknown parameters are refused: a misspelt filter would show everything."""

    def filter_queryset(self, request, queryset, view):
        filterset_class = view.filterset_class
        names = parameters_of(filterset_class) if filterset_class else {}
        unknown = set(request.query_params) - set(names) - set(CONTROLS) - {each["name"] for each in _of_versions(view)}
        if unknown:
            raise ValidationError({name: [f"There is no such parameter. Known: {', '.join(sorted(names))}."] for name in sorted(unknown)})
        given = {name: value for name, value in request.query_params.items() if name in names and value not in EMPTY_VALUES}
        return filtered(filterset_class, given, queryset, request.user) if given else queryset

    def get_schema_operation_parameters(self, view) -> list[dict]:
        known = parameters_of(view.filterset_class) if view.filterset_class else {}
        return [*(_parameter(name, schema, words) for name, (schema, words) in known.items()), *_of_versions(view)]


TENURE = "current, or those that were yours, each as it stood when your tenure ended; not together with as_of"


def _of_versions(view) -> list[dict]:
    """The parameters of a view whose records have versions, and tenures."""
    moment = [_parameter("as_of", {"type": "string"}, AS_OF)] if view.is_dated else []
    known = view.keeps_versions and tenure.of(view.model)
    held = [_parameter("tenure", {"type": "string", "enum": [*tenure.WANTED]}, TENURE)] if known else []
    return moment + held


def filtered(filterset_class, given: dict, queryset, user):
    """The rows that the filters let through; organisations are named by slug or id. Raises ValidationError by parameter."""
    given = dict(given)
    for name in set(getattr(filterset_class, "party_filters", ())) & set(given):
        if slug_re.match(str(given[name])) and not str(given[name]).isdecimal():
            given[name] = Organization.objects.filter(slug=given[name]).values_list("pk", flat=True).first() or given[name]
    filterset = filterset_class(given, queryset=queryset, user=user)
    if not filterset.form.is_valid():
        raise ValidationError({name: list(errors) for name, errors in filterset.form.errors.items()})
    return filterset.qs


def parameters_of(filterset_class) -> dict[str, tuple[dict, str]]:
    """Query parameter → (its schema, its words), of a filterset; a range has two."""
    found = {}
    for name, each in filterset_class.base_filters.items():
        words = ", ".join(filter(None, [str(each.label or ""), str(each.extra.get("help_text") or "")]))
        if isinstance(each, DateFromToRangeFilter):
            found |= {f"{name}_{end}": ({"type": "string", "format": "date"}, words) for end in ("after", "before")}
        elif isinstance(each, RangeFilter):
            found |= {f"{name}_{end}": ({"type": "number"}, words) for end in ("min", "max")}
        else:
            found[name] = (_schema(filterset_class, name, each), words)
    return found


def _schema(filterset_class, name: str, each) -> dict:
    if name in getattr(filterset_class, "party_filters", ()):
        return {"type": "string", "description": "slug or id"}
    if isinstance(each, NumberFilter):
        return {"type": "number"}
    choices = each.extra.get("choices") or ()
    plain = {"type": "string", "enum": [str(value) for value, _ in choices]} if choices and not callable(choices) else {"type": "string"}
    return {"type": "array", "items": plain} if isinstance(each, MultipleChoiceFilter) else plain


def _parameter(name: str, schema: dict, words: str) -> dict:
    return {"name": name, "in": "query", "required": False, "schema": schema} | ({"description": words} if words else {})
