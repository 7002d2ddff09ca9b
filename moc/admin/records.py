"""RecordAdmin: what every model gets in the workplace. ReferenceAdmin: the few that people edit there."""

from functools import reduce
from operator import or_

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import get_fields_from_path, unquote
from django.contrib.postgres.fields import DateRangeField
from django.core.exceptions import ValidationError
from django.db.models import AutoField, Q, QuerySet
from django.http import Http404, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.text import capfirst
from simple_history.admin import SimpleHistoryAdmin

from moc.access import policy, presence, reach, tenure
from moc.access.models import Organization
from moc.access.roles import PERMISSIONS
from moc.admin.changelist import CappedPaginator, RecordChangeList
from moc.admin.forms import PeriodWidget, ReasonForm
from moc.admin.moves import Moves
from moc.admin.versions import Versions
from moc.errors import UserError
from moc.history import acting
from moc.portal.moments import VALID_TIME


class RecordAdmin(Moves, Versions, SimpleHistoryAdmin):
    """One kind of record, read within the user's scope.

    `view_permission` opens it; nobody writes it here unless `write_permission` is named (ReferenceAdmin). `keyset` lists are
    ordered by key, newest first, and paged by key; others may be sorted by their columns. `search_fields` name indexed columns:
    `=` equal, `^` begins with, none: contains (a trigram index). `hidden` fields are never shown. `headline` is the place of the kind's
    count on the front page (0: none).
    """

    form = ReasonForm
    formfield_overrides = {DateRangeField: {"widget": PeriodWidget}}
    section = ""
    view_permission = "audit"
    write_permission = ""
    deletable = False
    sensitive = False
    keyset = True
    headline = 0
    hidden: tuple[str, ...] = ()
    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    view_on_site = False
    change_form_template = "admin/record.html"
    change_list_template = "admin/records.html"

    @property
    def section_title(self) -> str:
        """The slice that the record belongs to."""
        return self.section or self.model.__module__.split(".")[1].capitalize()

    def get_urls(self):
        own = [
            path("<path:object_id>/reach/", self.admin_site.admin_view(self.reach_view), name=self._url_name("reach")),
            path("<path:object_id>/move/<slug:name>/", self.admin_site.admin_view(self.move_view), name=self._url_name("move")),
        ]
        return own + super().get_urls()

    def _url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def address(self, page: str, *args) -> str:
        """The address of one of this record's pages: changelist, add, change, history, delete, reach, move."""
        return reverse(f"{self.admin_site.name}:{self._url_name(page)}", args=args)

    # Who may: policy.py

    def has_module_permission(self, request) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request, obj=None) -> bool:
        return policy.allows(request.user, self.view_permission)

    def has_add_permission(self, request) -> bool:
        return bool(self.write_permission) and self._may_write_somewhere(request.user)

    def has_change_permission(self, request, obj=None) -> bool:
        if not self.write_permission or self.moment(request) is not None or hasattr(request, "held_until"):
            return False
        if obj is None or "PUBLIC" in policy.paths_of(self.model):  # what is public is not written by the party that it is about
            return self._may_write_somewhere(request.user)
        return policy.allows(request.user, self.write_permission, obj)

    def has_delete_permission(self, request, obj=None) -> bool:
        return self.deletable and self.has_change_permission(request, obj)

    def has_export_permission(self, request) -> bool:
        return policy.allows(request.user, "export")

    def _may_write_somewhere(self, user) -> bool:
        """Records that belong to no organisation are written by the operator's staff only."""
        paths = set(policy.paths_of(self.model))
        if {"PUBLIC", "SELF", "OPERATOR"} & paths and policy.operates(user, self.write_permission):
            return True
        return not {"PUBLIC", "SELF"} & paths and bool(policy.reach(user, self.write_permission))

    # Which rows

    def everything(self, request) -> QuerySet:
        """All rows, before scope; with `as_of`, the versions that stood then; former ones as their tenure ended; with `valid_on`, of
        those the ones that hold on that day."""
        if self.tenure(request):
            return tenure.ended(self.model).order_by()
        rows = self.standing_rows(request) if self.moment(request) else self.model._default_manager.order_by()
        day = self.valid_day(request)
        return rows.filter(**{f"{VALID_TIME}__contains": day}) if day else rows

    def get_queryset(self, request) -> QuerySet:
        return policy.scope(self.everything(request), request.user, self.view_permission)

    def get_changelist(self, request, **kwargs):
        return RecordChangeList

    def get_sortable_by(self, request):
        return () if self.keyset else super().get_sortable_by(request)

    def lookup_allowed(self, lookup, value, request) -> bool:
        """What is not shown is not guessed either, letter by letter."""
        return lookup.partition("__")[0] not in self.hidden and super().lookup_allowed(lookup, value, request)

    def get_search_results(self, request, queryset, search_term):
        """The term as it is, not word by word. Versions are looked for among their records, and found by what they say themselves."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if queryset.model is not self.model:
            if tenure.is_former(queryset):
                return queryset.filter(self.called(term)), False
            known, _ = self.get_search_results(request, self.model._default_manager.order_by(), term)
            return queryset.filter(self.called(term), **{f"{self.opts.pk.attname}__in": known.values("pk")}), False
        return self.find(queryset, term), False

    def find(self, rows: QuerySet, term: str) -> QuerySet:
        """Rows by any of the searched columns; one that the term cannot be a value of (a UUID, a number) is left out."""
        return rows.filter(self.called(term))

    def called(self, term: str) -> Q:
        """The rows in whose searched columns the term is."""
        found = [self._lookup(name, term) for name in self.search_fields]
        return reduce(or_, filter(None, found), Q(pk__in=[]))

    def _lookup(self, name: str, term: str) -> Q | None:
        column, lookup = name.lstrip("=^"), {"=": "exact", "^": "startswith"}.get(name[0], "icontains")
        try:
            value = get_fields_from_path(self.model, column)[-1].to_python(term)
        except ValidationError:
            return None
        return Q(**{f"{column}__{lookup}": value})

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        raise Http404

    # What a page shows

    def get_fields(self, request, obj=None) -> list[str]:
        fields = [field for field in self.opts.concrete_fields if field.name not in self.hidden and not isinstance(field, AutoField)]
        return [field.name for field in fields if obj is not None or field.editable]

    def get_fieldsets(self, request, obj=None):
        fieldsets = list(self.fieldsets or [(None, {"fields": self.get_fields(request, obj)})])
        writable = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return [*fieldsets, ("Reason", {"fields": ["reason", "opened_version"]})] if writable else fieldsets

    def get_readonly_fields(self, request, obj=None) -> list[str]:
        fixed = [field.name for field in self.opts.concrete_fields if not field.editable and field.name not in self.hidden]
        return [*self.readonly_fields, *fixed]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        """Only records within the user's scope may be chosen; a key named after a kind of party takes parties of that kind."""
        related = db_field.remote_field.model
        public = "PUBLIC" in policy.paths_of(self.model)  # written by the operator, who may name whomever they see
        permission = self.view_permission if public else self.write_permission or self.view_permission
        rows = policy.scope(related._default_manager.all(), request.user, permission)
        if related is Organization and db_field.name in Organization.Kind.values:
            rows = rows.filter(kind=db_field.name)
        return super().formfield_for_foreignkey(db_field, request, **{"queryset": rows, **kwargs})

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context |= self.record_context(request, obj) if obj else {}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def record_context(self, request, obj) -> dict:
        """What the head of a record's page needs."""
        return {
            "kind": capfirst(self.opts.verbose_name),
            "subtitle": None,
            "title": str(obj),
            "as_of": self.moment(request),
            "held_until": getattr(request, "held_until", None),
            "recorded": self.recorded,
            "moves": [] if self.moment(request) or hasattr(request, "held_until") else self.available_moves(request, obj),
            "reach_url": self.address("reach", obj.pk),
            "record_url": self.address("change", obj.pk),
        }

    def changelist_view(self, request, extra_context=None):
        shown = {"as_of": self.moment(request), "recorded": self.recorded, "tenures": tenure.of(self.model), "former": self.tenure(request)}
        shown |= {"has_valid_time": self.has_valid_time, "valid_on": self.valid_day(request)}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def reach_view(self, request, object_id):
        """Who can reach this record, and why."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        context = {
            **self.record_context(request, obj),
            "ways": reach.told_to(request.user, reach.explain(obj, self.view_permission), self.view_permission),
            "public": reach.is_public(self.model),
            "sentence": PERMISSIONS[self.view_permission],
        }
        return self.render_page(request, "admin/reach.html", f"Who can reach {obj}", obj, context)

    # What is written

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """A service's refusal is told; nothing was changed. A `sensitive` record is written by who has shown lately who they are."""
        if self.sensitive and request.method == "POST":
            presence.demand(request)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except UserError as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request, obj, form, change):
        policy.require(request.user, self.write_permission, obj)
        with acting(request.user, form.cleaned_data["reason"]):
            obj.save()

    def save_related(self, request, form, formsets, change):
        with acting(request.user, form.cleaned_data["reason"]):
            super().save_related(request, form, formsets, change)

    def delete_view(self, request, object_id, extra_context=None):
        if request.method == "POST" and not request.POST.get("reason", "").strip():
            messages.error(request, "A removal needs a reason.")
            return HttpResponseRedirect(request.get_full_path())
        return super().delete_view(request, object_id, extra_context)

    def delete_model(self, request, obj):
        with acting(request.user, request.POST["reason"].strip()):
            obj.delete()

    def log_addition(self, request, obj, message):
        """History is the log."""

    log_change = log_addition

    def log_deletions(self, request, queryset):
        """History is the log."""


class ReferenceAdmin(RecordAdmin):
    """Records that people edit in the workplace, few enough to be sorted by any column: name `write_permission`."""

    keyset = False
