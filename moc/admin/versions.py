"""The versions of a record: its timeline with differences, and the record as of a moment."""

from collections.abc import Sequence
from copy import copy
from itertools import pairwise

from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from moc.access import policy, tenure
from moc.admin.changelist import AS_OF, TENURE, VALID_ON
from moc.portal.moments import day_of, has_valid_time, moment_of
from moc.portal.timeline import differences


class Sole:
    """Rows of which one is asked for by its key, without the LIMIT of QuerySet.get: the key is unique, and for one row of many PostgreSQL
    would hash what row-level security asks of other tables."""

    def __init__(self, rows: QuerySet):
        self.rows = rows

    def get(self, **key):
        """The record. Raises DoesNotExist."""
        found = next(iter(self.rows.filter(**key).order_by()), None)
        if found is None:
            raise self.rows.model.DoesNotExist
        return found


class Versions:
    """RecordAdmin's part that reads history."""

    object_history_template = "admin/record_history.html"
    history_list_per_page = 25

    @property
    def recorded(self) -> bool:
        """Whether the model has history."""
        return hasattr(self.model, "history")

    def moment(self, request):
        """The past moment that the page's `as_of` names; None for now."""
        return moment_of(request.GET.get(AS_OF, "")) if self.recorded else None

    @property
    def has_valid_time(self) -> bool:
        """Whether a record says during which days it holds."""
        return has_valid_time(self.model)

    def valid_day(self, request):
        """The day that the page's `valid_on` names, on which the listed records were to hold; None for all of them."""
        return day_of(request.GET.get(VALID_ON, "")) if self.has_valid_time else None

    def tenure(self, request):
        """The tenure whose former records the list shows; None for present ones, and for those that stood at a moment."""
        asked = request.GET.get(TENURE) == tenure.FORMER and self.moment(request) is None
        return tenure.of(self.model) if asked else None

    def standing_rows(self, request):
        return self.model.history.model.objects.as_of(self.moment(request)).order_by()

    def get_object(self, request, object_id, from_field=None):
        """The record; an unsaved copy of the version that stood at the moment of `as_of`, or that closed the user's tenure; None when
        the user may not see it."""
        moment = self.moment(request)
        found = self._present(request, object_id, from_field) if moment is None else None
        if found is not None or not self.recorded:
            return found
        try:
            own = self.model.history.model.objects.filter(**{self.opts.pk.attname: self.opts.pk.to_python(object_id)})
        except ValidationError:
            return None
        rows = policy.scope(own.as_of(moment) if moment else own, request.user, self.view_permission)
        version = rows.first() if moment else tenure.closing(rows).first()
        if version is not None and moment is None:
            request.held_until = tenure.held_until(version)
        return version.instance if version else None

    def _present(self, request, object_id, from_field):
        """The record as Django finds it."""
        key = self.opts.get_field(from_field) if from_field else self.opts.pk
        try:
            return Sole(self.get_queryset(request)).get(**{key.name: key.to_python(object_id)})
        except (self.model.DoesNotExist, ValidationError, ValueError):
            return None

    def get_history_queryset(self, request, history_manager, pk_name, object_id):
        """The versions of one object that the user may see, newest first, with who made them and nothing else beside: what changed foreign
        keys name is read by its key, and a version that names what the user may not see is a version."""
        rows = super().get_history_queryset(request, history_manager, pk_name, object_id)
        return policy.scope(rows.select_related(None).select_related("history_user"), request.user, self.view_permission)

    def history_view(self, request, object_id, extra_context=None):
        """The timeline: who, when, why, and what changed, field by field."""
        if not self.recorded:
            raise Http404
        record_url = self.address("change", unquote(object_id))
        sealed = {"sealed_table": self.model.history.model._meta.db_table}
        context = {"record_url": record_url, "kind": capfirst(self.opts.verbose_name), **sealed}
        asking = copy(self)
        asking.get_queryset = lambda request: Sole(self.get_queryset(request))
        return super(Versions, asking).history_view(request, object_id, {**context, **(extra_context or {})})

    def history_view_title(self, request, obj) -> str:
        return f"Timeline of {obj}"

    def set_history_delta_changes(self, request, historical_records: Sequence, foreign_keys_are_objs=True):
        """As simple-history's, in words (labels of choices, names of records), and the last of a page compared with the one on the next."""
        rows = list(historical_records.object_list)
        if rows:
            predecessors = self.get_history_queryset(request, self.model.history, *self._key_of(rows[-1]))
            earlier = predecessors.filter(history_id__lt=rows[-1].history_id).order_by("-history_date", "-history_id").first()
            for new, old in pairwise([*rows, earlier]):
                new.history_delta_changes = differences(new, old)
        historical_records.object_list = rows

    def _key_of(self, version) -> tuple[str, object]:
        name = self.opts.pk.attname
        return name, getattr(version, name)

    def history_form_view(self, request, object_id, version_id, extra_context=None):
        """A version's address leads to the record as of that version; nothing is reverted here."""
        versions = self.model.history.model.objects if self.recorded else self.model._default_manager.none()
        key = {self.opts.pk.attname: unquote(object_id), "history_id": version_id} if self.recorded else {}
        version = policy.scope(versions.filter(**key), request.user, self.view_permission).first()
        if version is None:
            raise Http404
        return HttpResponseRedirect(f"{self.address('change', unquote(object_id))}?{AS_OF}={version.history_date:%Y-%m-%dT%H:%M:%S.%fZ}")

    def render_page(self, request, template: str, title: str, obj, context: dict) -> TemplateResponse:
        """A page of this record's own, in the workplace's frame."""
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "original": obj, "app_label": self.opts.app_label}
        return TemplateResponse(request, template, {**frame, **context, "title": title})
