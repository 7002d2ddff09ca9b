"""List and Detail: a page of the portal that shows is a declaration on one of these; those that change are in changes.py.

Every queryset starts from the user's scope: what one may not see is 404.
"""

from collections.abc import Iterable

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.views.generic import TemplateView

from moc import sight, units
from moc.access import policy, tenure
from moc.history import Version, keeps_versions, recorded_at
from moc.portal import paging
from moc.portal.moments import misdated, moment_of
from moc.portal.tables import Table
from moc.portal.timeline import timeline
from moc.portal.versions import version_of

OWN_FACTS = "portal/detail.html"


class Page(LoginRequiredMixin, TemplateView):
    """A page with a title, breadcrumbs [(label, URL name)] above it and actions [(label, url, primary)] on it."""

    title = ""
    lead = ""
    permission = "view_registry"
    parents: Iterable[tuple[str, str]] = ()

    def get_title(self) -> str:
        return self.title

    def actions(self) -> list[tuple[str, str, bool]]:
        return []

    @property
    def answers_as_of(self) -> bool:
        """Whether the page can be asked as of a past moment."""
        return False

    @cached_property
    def undated(self):
        """The past moment that is asked of a page which knows only the present: it says so, and shows no records."""
        return None if self.answers_as_of else moment_of(self.request.GET.get("as_of", ""))

    def breadcrumbs(self) -> list[tuple[str, str]]:
        trail = [(label, reverse(name)) for label, name in self.parents]
        return [*trail, (self.get_title(), "")] if trail else []

    def get_context_data(self, **kwargs) -> dict:
        shown = {"title": self.get_title(), "lead": self.lead, "actions": self.actions(), "breadcrumbs": self.breadcrumbs()}
        shown |= {"undated": self.undated, "misdated": misdated(self.request.GET.get("as_of", ""))}
        return super().get_context_data(**shown | kwargs)


class List(Page):
    """A filtered, keyset-paged table of a model's rows within the user's scope.

    As recorded at any moment too, unless `keeps_versions` says that only what stands now is shown; and where the model has tenures, former
    records as the tenure ended (?tenure=former). Days on which records are to hold are a filter (moc.portal.filters.ValidOnFilter).

    `exports` are (label, URL name) of export views of this list (moc.exports). A list of several pages that is filtered or as of a moment
    is counted only on request (`counts_filtered` counts it at once, up to the cap): what no index counts would cost more than the page.
    CSV of it comes in any order, as the database is quickest with, unless `exports_in_order` of its sort.
    """

    template_name = "portal/list.html"
    model = None
    table: Table
    filterset_class = None
    sorts: tuple[paging.Sort, ...] = (paging.Sort("-id", ("-id",)),)
    page_size = 50
    noun = "records"
    exports: Iterable[tuple[str, str]] = ()
    keeps_versions = True
    counts_filtered = False
    exports_in_order = False

    @classmethod
    def for_user(cls, user, query: str, **kwargs) -> "List":
        """The list as a job or an export sees it: a user, a query string, and the URL's arguments."""
        request = HttpRequest()
        request.user, request.GET = user, QueryDict(query)
        view = cls()
        view.setup(request, **kwargs)
        return view

    @cached_property
    def moment(self):
        """The as-of moment asked for; None for the present."""
        return moment_of(self.request.GET.get("as_of", "")) if self.is_dated else None

    @property
    def is_dated(self) -> bool:
        """Whether it can be asked as recorded at a moment."""
        return self.keeps_versions and keeps_versions(self.model)

    @property
    def answers_as_of(self) -> bool:
        return self.is_dated

    @cached_property
    def tenure(self):
        """The tenure whose former records are asked for; None for present ones, and for those that stood at a moment."""
        asked = self.is_dated and self.moment is None and self.request.GET.get("tenure") == tenure.FORMER
        return tenure.of(self.model) if asked else None

    def rows(self):
        """The rows before scope and filters; for an as-of moment the versions that stood then; former ones as their tenure ended."""
        if self.tenure:
            return tenure.ended(self.model)
        return recorded_at(self.model, self.moment) if self.moment else self.model.objects.all()

    @cached_property
    def filterset(self):
        if self.filterset_class is None:
            return None
        return self.filterset_class(self.request.GET, queryset=self.rows(), request=self.request)

    def filtered(self):
        """The rows that the filters let through, of any scope; none while a filter cannot be read, nor of a past that is not kept."""
        if self.undated:
            return self.rows().none()
        if self.filterset is None:
            return self.rows()
        return self.filterset.qs if self.filterset.form.is_valid() else self.rows().none()

    def selected(self, permission: str = ""):
        """All rows of the list within the scope, for exports and for actions on every row of the filter."""
        if self.tenure:
            return tenure.visible(self.filtered(), self.model, self.request.user, permission or self.permission)
        return policy.scope(self.filtered(), self.request.user, permission or self.permission)

    def branches(self):
        """The scope as index ranges; None when one range is enough: everything."""
        if self.tenure:
            return tenure.branches(self.model, self.request.user, self.permission)
        return policy.branches(self.rows().model, self.request.user, self.permission, self.moment)

    @property
    def offered_sorts(self) -> tuple[paging.Sort, ...]:
        return paging.of_ended(self.tenure.record) if self.tenure else self.sorts

    @cached_property
    def sort(self) -> paging.Sort:
        wanted = self.request.GET.get("sort", "")
        return next((sort for sort in self.offered_sorts if sort.name == wanted), self.offered_sorts[0])

    @cached_property
    def found(self) -> paging.Found:
        asked = {name: self.request.GET.get(name, "") for name in ("after", "before")}
        return paging.find(self.filtered(), self.branches(), self.sort, self.page_size, **asked)

    def page_rows(self) -> list[dict]:
        """The page's rows with the columns' lookups only, in the order found."""
        if not self.found.keys:
            return []
        model = self.rows().model
        key = model._meta.pk.attname
        rows = model.objects.filter(pk__in=self.found.keys).values(*{key, *self.table.lookups})
        by_key = {row[key]: row for row in rows}
        return [by_key[key] for key in self.found.keys if key in by_key]

    def address(self, **changes) -> str:
        """This list's address with some parameters changed (None removes one), on the first page unless a cursor is given."""
        query = self.request.GET.copy()
        for name in ("after", "before"):
            query.pop(name, None)
        for name, value in changes.items():
            query.pop(name, None)
            if value is not None:
                query[name] = value
        return f"?{query.urlencode()}"

    def count(self) -> tuple[int, bool] | None:
        """(rows, whether that is all of them); None when nobody counted."""
        if self.request.GET.get("count") == "exact":
            return self.selected().order_by().values("pk").distinct().count(), True
        if self.found.previous is None and self.found.following is None:
            return len(self.found.keys), True
        narrowed = self.filterset is not None and self.filterset.in_force
        if (narrowed or self.moment or self.tenure) and not self.counts_filtered:
            return None
        counted = paging.count_up_to(self.filtered(), self.branches())
        return min(counted, paging.COUNT_CAP), counted <= paging.COUNT_CAP

    def count_text(self, counted: tuple[int, bool] | None) -> str:
        if self.filterset and self.filterset.faults:
            return ""
        exact = self.request.GET.copy()
        exact["count"] = "exact"
        link = format_html('<a href="?{}">count them</a>', exact.urlencode())
        if counted is None:
            return format_html("Several pages of {} ({})", self.noun, link)
        number = units.counted(counted[0], self.noun)
        return number if counted[1] else format_html("More than {} ({})", number, link)

    def nothing(self) -> tuple[str, str]:
        """(title, text) of a list without rows: the table's own words only where nothing narrows it, for they speak of everything."""
        if faults := self.filterset.faults if self.filterset else []:
            said = "; ".join(f"{label}: {message}" for label, message in faults)
            return "Nothing is shown, because a filter cannot be read", f"{said} Correct the filter, or clear it."
        if self.undated:
            return "Nothing is shown", ""
        if self.moment:
            return "Nothing of this list was on record then", "Choose a later day, or return to the current record."
        if self.filterset is not None and self.filterset.in_force:
            return "No rows match the filters", "Change them, or clear them."
        return self.table.empty_title, ""

    def get_context_data(self, **kwargs) -> dict:
        counted, found = self.count(), self.found
        table = self.table.bind(
            self.page_rows(),
            sorts=[sort.name for sort in self.offered_sorts],
            current=self.sort.name,
            sort_url=lambda name: self.address(sort=name),
        )
        table.empty_title, table.empty_text = self.nothing()
        table.total_text = f"{counted[0]:,}" if counted and counted[1] else "rows"
        query = self.address(count=None).lstrip("?")
        shown = {
            "filterset": self.filterset,
            "table": table,
            "page": {
                "previous_url": self.address(before=found.previous) if found.previous else None,
                "next_url": self.address(after=found.following) if found.following else None,
                "count_text": self.count_text(counted),
            },
            "exports": [(label, f"{reverse(name, kwargs=self.kwargs)}?{query}") for label, name in self._exports()],
            "as_of": self.moment,
            "as_of_form": self.is_dated,
            "tenures": self._tenures(),
        }
        return super().get_context_data(**shown | kwargs)

    def _tenures(self) -> list[tuple[str, str, bool]]:
        """[(label, address, whether it is shown)]: the present records and the former, of a model with tenures."""
        if not self.is_dated or tenure.of(self.model) is None:
            return []
        words = (("Held now", None), ("Held formerly, as the tenure ended", tenure.FORMER))
        return [(label, self.address(tenure=value, as_of=None), bool(value) == bool(self.tenure)) for label, value in words]

    def _exports(self) -> Iterable[tuple[str, str]]:
        return self.exports if policy.allows(self.request.user, "export") else ()


class One(Page):
    """A page about one object within the user's scope, found by `key` (of the URL and of the model)."""

    model = None
    key = "uuid"

    def get_queryset(self):
        return self.model.objects.visible_to(self.request.user, self.permission)

    @cached_property
    def object(self):
        return get_object_or_404(self.get_queryset(), **{self.key: self.kwargs[self.key]})

    def get_title(self) -> str:
        return self.title or str(self.object)


class Detail(One):
    """One object: facts in groups, its moves as buttons; with `keeps_versions`, its timeline, and the whole page as of any moment.

    Of other recorded models, unless `is_dated` is False, its own facts can be asked as of any moment: what stands beside them on the page
    is of today, and left out. `transition_url` is the URL name that takes the object's key and the transition's name.
    """

    template_name = OWN_FACTS
    keeps_versions = False
    is_dated = True
    held_until = None
    transition_url = ""
    related: tuple[str, ...] = ()

    @cached_property
    def moment(self):
        return moment_of(self.request.GET.get("as_of", "")) if self.is_dated and hasattr(self.model, "history") else None

    @property
    def answers_as_of(self) -> bool:
        return self.is_dated and hasattr(self.model, "history")

    @property
    def shows_own_facts(self) -> bool:
        """Whether a past moment is asked for, and the page beside the facts is of today only."""
        return self.moment is not None and not self.keeps_versions

    def get(self, request, *args, **kwargs):
        """The page; of the past where it keeps no versions, the record's own facts."""
        if self.shows_own_facts:
            context = Detail.get_context_data(self, **kwargs)
            return TemplateResponse(request, OWN_FACTS, context | {"actions": []})
        return super().get(request, *args, **kwargs)

    @cached_property
    def all_versions(self):
        """The object's versions before scope, whether or not the object itself is still in it."""
        with sight.engine():  # the object may have left the user's sight; its versions are under the user's own
            pk = self.model.objects.filter(**{self.key: self.kwargs[self.key]}).values_list("pk", flat=True).first()
        # what does not exist costs the same query as what one may not see
        return self.model.history.model.objects.filter(**{self.model._meta.pk.attname: pk or 0})

    @property
    def versions(self):
        """The object's versions within the scope."""
        return policy.scope(self.all_versions, self.request.user, self.permission)

    @cached_property
    def object(self):
        """The object, or its version that stood at the as-of moment."""
        if self.moment is None:
            found = self.get_queryset().select_related(*self.related).filter(**{self.key: self.kwargs[self.key]})
            # without a LIMIT: the key is unique, and for one row of many PostgreSQL would hash what row-level security asks of others
            return next(iter(found.order_by()), None) or self.closing_version()
        standing = policy.scope(self.all_versions.as_of(self.moment), self.request.user, self.permission)
        version = standing.select_related(*self.related).first()
        if version is None:
            raise Http404("Nothing that you may see stood here then.")
        return version.instance if self.shows_own_facts else version

    def closing_version(self):
        """The record as it stood when the user's tenure of it ended; 404 for those who never held it."""
        version = tenure.closing(self.versions).select_related(*self.related).first() if self.keeps_versions else None
        if version is None:
            raise Http404
        self.held_until = tenure.held_until(version)
        return version

    def facts(self) -> list:
        """[(group, [(label, value, unit, help)])]"""
        return []

    def mover(self, permission: str) -> tuple:
        """By what right, and of whom, the record is moved: of the record's parties, unless it is another's to say."""
        return permission, self.object

    def transitions(self) -> list[dict]:
        """The moves that the user may make now."""
        if not self.transition_url or self.shows_own_facts or isinstance(self.object, Version):
            return []
        offered = [
            move
            for move in self.model.lifecycle.available(self.object.status)
            if move.permission and policy.allows(self.request.user, *self.mover(move.permission))
        ]
        version = version_of(self.object) if offered else ""
        return [
            {
                "name": move.name,
                "label": move.title,
                "needs_reason": move.needs_reason,
                "danger": move.danger,
                "version": version,
                "url": reverse(self.transition_url, args=[getattr(self.object, self.key), move.name]),
            }
            for move in offered
        ]

    def timeline(self):
        """Every version that the user may see, newest first; who wrote it is for those who may audit."""
        return timeline(self.versions, names=policy.allows(self.request.user, "audit", self.object)) if self.keeps_versions else None

    def get_context_data(self, **kwargs) -> dict:
        status = getattr(self.object, "status", "")
        shown = {
            "object": self.object,
            "kind": self.model._meta.verbose_name,
            "status": status,
            "status_label": self.object.get_status_display() if status else "",
            "facts": self.facts(),
            "transitions": self.transitions(),
            "timeline": self.timeline(),
            "as_of": self.moment,
            "as_of_form": self.is_dated and not self.keeps_versions and hasattr(self.model, "history"),
            "held_until": self.held_until,
        }
        return super().get_context_data(**shown | kwargs)
