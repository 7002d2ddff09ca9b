"""The versions of a record: its timeline with differences, and the record as of a moment."""

from collections.abc import Sequence
from itertools import pairwise

from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from moc.access import policy, tenure
from moc.admin.changelist import AS_OF, TENURE
from moc.portal.moments import moment_of
from moc.portal.timeline import differences


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
        found = super().get_object(request, object_id, from_field) if moment is None else None
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

    def get_history_queryset(self, request, history_manager, pk_name, object_id):
        """The versions of one object that the user may see, newest first."""
        rows = super().get_history_queryset(request, history_manager, pk_name, object_id)
        return policy.scope(rows, request.user, self.view_permission)

    def history_view(self, request, object_id, extra_context=None):
        """The timeline: who, when, why, and what changed, field by field."""
        if not self.recorded:
            raise Http404
        record_url = self.address("change", unquote(object_id))
        sealed = {"sealed_table": self.model.history.model._meta.db_table}
        context = {"record_url": record_url, "kind": capfirst(self.opts.verbose_name), **sealed}
        return super().history_view(request, object_id, {**context, **(extra_context or {})})

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
