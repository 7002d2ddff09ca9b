"""Resources of the API are declarations on these: a scoped list, one record with its versions, moves of its lifecycle.

A read starts from the user's scope (what one may not see is 404); a write calls a service, which checks the permission again.
"""

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_vary_headers
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from moc import sight
from moc.access import policy, presence, tenure
from moc.history import keeps_versions, recorded_at
from moc.portal.moments import moment_of
from moc.portal.paging import Sort, of_ended
from moc.portal.timeline import KINDS
from moc.rest.bodies import StreamedRequest
from moc.rest.conditions import idempotent, require_match, tag_of, tagged
from moc.rest.pages import Filters, Keyset
from moc.rest.permissions import SignedIn
from moc.rest.rendering import Csv, Json
from moc.rest.serializers import VersionSerializer

NEWEST = (Sort("-id", ("-id",)), Sort("id", ("id",)))
NEWEST_VERSION = (Sort("-recorded_at", ("-history_date", "-history_id")),)


class Streamed(GenericAPIView):
    """A view whose bodies may be larger than memory."""

    def initialize_request(self, request, *args, **kwargs) -> StreamedRequest:
        return StreamedRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def finalize_response(self, request, response, *args, **kwargs) -> Response:
        """What is shown depends on who asks, and no store between may keep it."""
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response


class Resource(ViewSetMixin, Streamed):
    """The records of a model within the user's scope. `tag_by_content`: the representation holds more than the record's own version.

    The list of a recorded model can be asked as recorded at any moment, unless `keeps_versions` is False, and a record too where what is
    sent is the record's own version: `content_of` then says what is sent of a version. Elsewhere as_of is refused.
    """

    model: type[Model]
    permission = "view_registry"
    permission_classes = [SignedIn]
    renderer_classes = [Json, Csv]
    parser_classes = [JSONParser]
    pagination_class = Keyset
    filter_backends = [Filters]
    filterset_class = None
    sorts = NEWEST
    lookup_field = "uuid"
    lookup_value_converter = "uuid"
    keeps_versions: bool | None = None
    tenure = None
    tag_by_content = False

    @cached_property
    def moment(self):
        """The as-of moment asked for; None for the present."""
        text = self.request.query_params.get("as_of", "") if self.is_dated else ""
        moment = moment_of(text)
        if text and moment is None:
            raise ValidationError({"as_of": ["Give a past date, or a past date and time with offset; leave it out for the present."]})
        return moment

    @property
    def is_dated(self) -> bool:
        """Whether what is read can be asked as recorded at a moment."""
        if self.keeps_versions is not None:
            return self.keeps_versions
        own = type(self).content is Resource.content or type(self).content_of is not Resource.content_of
        return (self.action == "list" or (self.action == "retrieve" and own)) and keeps_versions(type(self).model)

    def initial(self, request, *args, **kwargs) -> None:
        """What keeps no versions says so, instead of showing the present for the past."""
        super().initial(request, *args, **kwargs)
        if request.method == "GET" and "as_of" in request.query_params and not self.is_dated:
            raise ValidationError({"as_of": ["What this shows keeps no versions: leave as_of out, it is the present."]})

    def get_renderers(self) -> list:
        """What is written is answered in JSON, what is read in CSV too."""
        reading = self.action == (getattr(self, "action_map", None) or {}).get("get")
        return super().get_renderers() if reading else [Json()]

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """The fields asked for; none: all of them."""
        asked = [name.strip() for name in self.request.query_params.get("fields", "").split(",") if name.strip()]
        if unknown := sorted(set(asked) - set(self._fields())):
            raise ValidationError({"fields": [f"There is no field {unknown[0]}. Known: {', '.join(self._fields())}."]})
        return tuple(asked)

    def _fields(self) -> list[str]:
        return list(self.serializer_class().fields)

    def columns(self) -> list[str]:
        """The fields that are sent, in their order."""
        return [name for name in self._fields() if not self.wanted or name in self.wanted]

    def sparse(self, laid: list[dict]) -> list[dict]:
        """The records with the fields asked for only."""
        return [{name: row[name] for name in self.columns() if name in row} for row in laid] if self.wanted else laid

    def rows(self) -> QuerySet:
        """The rows before scope and filters; for an as-of moment the versions that stood then."""
        return recorded_at(self.model, self.moment) if self.moment else self.model.objects.all()

    def offered_sorts(self) -> tuple[Sort, ...]:
        """The sorts that an index gives."""
        return self.sorts

    def get_queryset(self) -> QuerySet:
        return self.model.objects.none() if getattr(self, "swagger_fake_view", False) else self.rows()

    def page(self, rows: QuerySet) -> Response:
        """One page of rows of any model, as this action's filters, sorts and serializer say."""
        rows, user = self.filter_queryset(rows), self.request.user
        if self.tenure:
            return self.paginator.page(rows, self, branches=tenure.branches(self.model, user, self.permission))
        if "SELF" in policy.paths_of(rows.model):
            return self.paginator.page(policy.scope(rows, user, self.permission), self, branches=None)
        return self.paginator.page(rows, self, branches=policy.branches(rows.model, user, self.permission, self.moment))

    def lay(self, rows: QuerySet, keys: list) -> list[dict]:
        """The rows of a page, in the order found."""
        laid = self.serializer_class.lay(rows)
        return [laid[key] for key in keys if key in laid]

    def get_object(self) -> Model:
        """The record of the address, within the scope; 404 otherwise. An action on something below it may have a model of its own."""
        model = type(self).model
        rows = policy.scope(model.objects.all(), self.request.user, type(self).permission)
        return get_object_or_404(rows, **{self.lookup_field: self.kwargs[self.lookup_field]})

    def content(self, obj: Model) -> dict:
        """The record as it is sent."""
        return type(self).serializer_class.lay(type(self).model.objects.filter(pk=obj.pk))[obj.pk]

    def content_of(self, version: Model) -> dict:
        """The record as it stood in a version, or as it was added, as it is sent."""
        return type(self).serializer_class.lay(type(version).objects.filter(pk=version.pk))[version.pk]

    def tag(self, obj: Model, content: dict) -> str:
        """The record's entity tag."""
        versions = getattr(type(self).model, "history", None)
        latest = 0
        if versions is not None:
            of_it = versions.model.objects.filter(**{type(self).model._meta.pk.attname: obj.pk})
            latest = of_it.order_by("-history_date", "-history_id").values_list("history_id", flat=True).first()
        return tag_of(latest, content if self.tag_by_content or versions is None else None)

    def answer(self, obj: Model, **kwargs) -> Response:
        """The record with its tag; of a record that is read, the fields asked for."""
        content = self.content(obj)
        shown = self.sparse([content])[0] if self.request.method == "GET" else content
        return tagged(self.request, shown, self.tag(obj, content), **kwargs)

    def hold(self, obj: Model) -> Model:
        """The record as it stands, locked in the order of its slice until the move is made."""
        return type(self).model.objects.select_for_update(of=("self",)).get(pk=obj.pk)

    def require_match(self, obj: Model) -> Model:
        """The record, held, in the version that the request means; call within the transaction of the change."""
        held = self.hold(obj)
        content = self.content(held)
        require_match(self.request, self.tag(held, content), content)
        return held

    def answer_below(self, content: object, version: int = 0, **kwargs) -> Response:
        """What stands below the record, with a tag of its own: of the content, and of a version where the content does not tell all."""
        return tagged(self.request, content, tag_of(version, content), **kwargs)

    def require_match_below(self, content: object, version: int = 0) -> None:
        """Refuse a change of what stands below the record unless the request means it as it stands; the record is held."""
        require_match(self.request, tag_of(version, content), content)

    def list(self, request, **kwargs) -> Response:
        return self.page(self.rows())

    def recorded(self) -> QuerySet:
        """The record's versions within the scope, whether or not the record itself is still in it; the one that stood at the moment."""
        model = type(self).model
        with sight.engine():  # the record may have left the user's sight; its versions are under the user's own
            pk = model.objects.filter(**{self.lookup_field: self.kwargs[self.lookup_field]}).values_list("pk", flat=True).first()
        # what does not exist costs the same query as what one may not see
        of_it = {model._meta.pk.attname: pk or 0}
        rows = recorded_at(model, self.moment) if self.moment else model.history.model.objects.all()
        return policy.scope(rows.filter(**of_it), self.request.user, type(self).permission)

    def retrieve(self, request, **kwargs) -> Response:
        if self.moment is None:
            return self.answer(self.get_object())
        return self.answer_version(self.recorded().first())

    def answer_version(self, version: Model | None, **headers: str) -> Response:
        """A version as the record; 404 without one."""
        if version is None:
            raise Http404
        response = tagged(self.request, self.sparse([self.content_of(version)])[0], tag_of(version.pk))
        for name, value in headers.items():
            response[name] = value
        return response


class Versioned(Resource):
    """A resource whose records are shown as of any moment, and with their versions; former ones as the user's tenure ended."""

    keeps_versions = True

    @cached_property
    def tenure(self):
        """The tenure whose former records are asked for; None for present ones, and for those that stood at a moment."""
        text = self.request.query_params.get("tenure", "") if self.keeps_versions else ""
        known = tenure.of(self.model) if text in tenure.WANTED else None
        if text and (known is None or self.moment is not None):
            raise ValidationError({"tenure": [f"Choose one of {', '.join(tenure.WANTED)}, and not together with as_of."]})
        return known if text == tenure.FORMER else None

    def rows(self) -> QuerySet:
        return tenure.ended(self.model) if self.tenure else super().rows()

    def offered_sorts(self) -> tuple[Sort, ...]:
        """As of a moment and of former records by id only: history has no other index."""
        if self.tenure:
            return of_ended(self.tenure.record)
        return NEWEST if self.moment else self.sorts

    def retrieve(self, request, **kwargs) -> Response:
        try:
            return super().retrieve(request, **kwargs)
        except Http404:
            if self.moment is not None:
                raise
            return self.answer_version(tenure.closing(self.recorded()).first())

    def answer_version(self, version: Model | None, **headers: str) -> Response:
        """One that closed a tenure says in a header until when it was the user's."""
        if version is not None and self.moment is None:
            headers[tenure.HEADER] = tenure.held_until(version).isoformat()
        return super().answer_version(version, **headers)

    @extend_schema(responses=VersionSerializer(many=True), summary="Every version: when, who, why, and what changed field by field")
    @action(detail=True, url_path="versions", url_name="versions", sorts=NEWEST_VERSION, keeps_versions=False, filterset_class=None)
    def timeline(self, request, **kwargs) -> Response:
        versions = self.recorded()
        if not versions.exists():
            raise Http404
        return self.paginator.page(self.filter_queryset(versions), self, branches=None)

    def _fields(self) -> list[str]:
        return list(VersionSerializer().fields) if self.action == "timeline" else super()._fields()

    def lay(self, rows: QuerySet, keys: list) -> list[dict]:
        return self._timeline(keys) if self.action == "timeline" else super().lay(rows, keys)

    def _timeline(self, keys: list[int]) -> list[dict]:
        """The versions of a page, each compared with the one before it."""
        versions = self.recorded().select_related("history_user")
        found = list(versions.filter(pk__in=keys).order_by("-history_date", "-history_id"))
        oldest = found[-1]
        before = (
            versions.filter(history_date__lte=oldest.history_date).exclude(pk__in=keys).order_by("-history_date", "-history_id").first()
        )
        shown = [*found, before] if before else found
        laid = self.serializer_class.lay(self.model.history.model.objects.filter(pk__in=[each.pk for each in shown]))
        named = policy.allows(self.request.user, "audit", self.model(**_keys(oldest)))
        earlier = [laid[each.pk] for each in shown[1:]] + [None]
        return [_version(each, laid[each.pk], old, named) for each, old in zip(found, earlier, strict=False)]


def _keys(version) -> dict:
    """The columns of a version that the record itself has."""
    return {field.attname: getattr(version, field.attname) for field in type(version).tracked_fields}


def _version(version, new: dict, old: dict | None, named: bool) -> dict:
    changed = {} if old is None else {name: {"before": old[name], "after": new[name]} for name in new if old[name] != new[name]}
    return {
        "version": tag_of(version.pk).strip('"'),
        "kind": KINDS[version.history_type],
        "recorded_at": version.history_date,
        "by": str(version.history_user) if named and version.history_user_id else None,
        "reason": version.history_change_reason or "",
        "changes": changed,
    }


class Moves(Resource):
    """A resource whose records move by their lifecycle: `moves` are the transitions offered, each with the serializer of its body."""

    moves: dict[str, type] = {}

    def perform(self, actor, obj: Model, name: str, **said) -> None:
        """Call the service of the transition."""
        raise NotImplementedError

    def mover(self, permission: str, obj: Model) -> tuple[str, Model]:
        """By what right, and of whom, a record is moved: of the record's parties, unless it is another's to say."""
        return permission, obj

    @extend_schema(summary="Move the record by its lifecycle")
    @action(detail=True, methods=["post"], url_path="transitions/<slug:name>", url_name="transition")
    @idempotent
    def transition(self, request, name: str, **kwargs) -> Response:
        obj = self.get_object()
        if name not in self.moves:
            raise Http404
        transition = self.model.lifecycle.transitions[name]
        policy.require(request.user, *self.mover(transition.permission, obj))
        if transition.sensitive:
            presence.demand(request)
        body = self.moves[name](data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            self.perform(request.user, self.require_match(obj), name, **body.validated_data)
        return self.answer(self.get_object())
