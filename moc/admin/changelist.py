"""Lists that stay fast at a million rows: pages by key, counts with a ceiling, and the record as of a moment."""

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.http import urlencode

from moc.access import policy, tenure
from moc.portal import paging

AS_OF, AFTER, BEFORE, TENURE, VALID_ON = "as_of", "after", "before", "tenure", "valid_on"


class CappedPaginator(Paginator):
    """Counts no further than the cap, and pages no deeper."""

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[: paging.COUNT_CAP].count()


class RecordChangeList(ChangeList):
    """A list of records within the user's scope; with `as_of`, of the versions that stood then.

    `previous_url` and `next_url` are the pages beside it, `more` whether there are more rows than were counted.
    """

    previous_url = next_url = ""

    def __init__(self, request, *args, **kwargs):
        given = request.GET
        own = given.copy()
        self.edges = {name: own.pop(name, [""])[-1] for name in (AFTER, BEFORE)}
        request.GET = own  # the links of filters and search start on the first page
        try:
            super().__init__(request, *args, **kwargs)
        finally:
            request.GET = given
        self.preserved_filters = self.model_admin.get_preserved_filters(request)
        self.title = f"{self.opts.verbose_name_plural[:1].upper()}{self.opts.verbose_name_plural[1:]}"

    @property
    def key(self) -> str:
        return self.opts.pk.attname

    def get_filters_params(self, params=None):
        found = super().get_filters_params(params)
        for name in (AS_OF, TENURE, VALID_ON):
            found.pop(name, None)
        return found

    def get_queryset(self, request, exclude_parameters=None):
        """Filters run over all rows; the scope comes last, so that a page may be read branch by branch."""
        self.root_queryset = self.model_admin.everything(request)
        self.matching = super().get_queryset(request, exclude_parameters)
        if self.model_admin.tenure(request):
            return tenure.visible(self.matching, self.model, request.user, self.model_admin.view_permission)
        return policy.scope(self.matching, request.user, self.model_admin.view_permission)

    def get_ordering(self, request, queryset):
        return [f"-{self.key}"] if self.model_admin.keyset else super().get_ordering(request, queryset)

    def get_results(self, request):
        if self.model_admin.keyset:
            self._get_page(request)
        else:
            super().get_results(request)
        self.more = self.result_count >= paging.COUNT_CAP

    def _get_page(self, request) -> None:
        rows, branches, sort = self.matching, *self._ranges(request)
        found = paging.find(rows.order_by().select_related(None), branches, sort, self.list_per_page, **self.edges)
        page = self.apply_select_related(rows.model._default_manager.filter(pk__in=found.keys)).order_by(f"-{self.key}", "-pk")
        self.result_list = list(page) if found.keys else []
        self.next_url = self.get_query_string({AFTER: found.following}) if found.following else ""
        self.previous_url = self.get_query_string({BEFORE: found.previous}) if found.previous else ""
        beside = found.following or found.previous
        self.result_count = min(paging.count_up_to(rows, branches), paging.COUNT_CAP) if beside else len(self.result_list)
        self.paginator = CappedPaginator(self.queryset, self.list_per_page)
        self.full_result_count, self.show_full_result_count = None, False
        self.show_admin_actions = bool(self.result_list)
        self.can_show_all = self.multi_page = False

    def _ranges(self, request) -> tuple[list[Q] | None, paging.Sort]:
        """The scope as index ranges, and the sort that they give."""
        user, permission, moment = request.user, self.model_admin.view_permission, self.model_admin.moment(request)
        if held := self.model_admin.tenure(request):
            return tenure.branches(self.model, user, permission), paging.of_ended(held.record)[0]
        return policy.branches(self.matching.model, user, permission, moment), paging.Sort("key", (f"-{self.key}",))

    def url_for_result(self, result) -> str:
        """A version leads to its record as of the same moment."""
        url = self.model_admin.address("change", getattr(result, self.key))
        return f"{url}?{urlencode({AS_OF: self.params[AS_OF]})}" if self.params.get(AS_OF) else url
