"""Records that hold rights: users and organisations, with a page of what they hold, and why."""

from django.contrib.admin.utils import unquote
from django.http import Http404
from django.urls import NoReverseMatch, path, reverse

from moc.access import holdings


class Holder:
    """RecordAdmin's part for who holds rights on records of others."""

    def get_urls(self):
        page = path("<path:object_id>/holds/", self.admin_site.admin_view(self.holds_view), name=self._url_name("holds"))
        return [page, *super().get_urls()]

    def record_context(self, request, obj) -> dict:
        """As of any record, with the way to what it holds."""
        return super().record_context(request, obj) | {"holds_url": self.address("holds", obj.pk)}

    def holds_view(self, request, object_id):
        """Who has what: the other direction of "who can reach this"."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        held, more = holdings.held_by(obj, request.user, self.view_permission)
        rows = [(each, self._page(each.record), self._page(each.row)) for each in held]
        context = {**self.record_context(request, obj), "rows": rows, "more": more, "most": holdings.MOST}
        return self.render_page(request, "admin/holds.html", f"What {obj} holds", obj, context)

    def _page(self, record) -> str:
        """The record's page here, where there is one."""
        opts = record._meta
        try:
            return reverse(f"{self.admin_site.name}:{opts.app_label}_{opts.model_name}_change", args=[record.pk])
        except NoReverseMatch:
            return ""
