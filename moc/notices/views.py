"""The inbox: notifications of events to the user, newest first. What waits to be done is computed elsewhere (moc.portal.queues)."""

import django_filters
from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.generic import View

from moc.notices import services
from moc.notices.forms import PreferencesForm
from moc.notices.models import Notice
from moc.portal import Column, Create, Detail, List, ScopedFilterSet, Table


class Unread(forms.NullBooleanSelect):
    """All notices, the unread or the read."""

    def __init__(self, attrs=None):
        super().__init__(attrs)
        self.choices = [("unknown", "All"), ("true", "Unread"), ("false", "Read")]


class NoticeFilterSet(ScopedFilterSet):
    """Unread or all."""

    unread = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull", label="Unread", widget=Unread)


class NoticeList(List):
    """The user's notices."""

    model = Notice
    title = "Notifications"
    lead = "What others did. What you have to do is on your home page, and goes from there by itself."
    noun = "notifications"
    template_name = "notices/list.html"
    filterset_class = NoticeFilterSet
    counts_filtered = True
    table = Table(
        caption="Notifications",
        url=lambda row: reverse("notice_detail", args=[row["uuid"]]),
        needs=("uuid",),
        empty_title="No notifications",
        columns=(
            Column("subject", "Subject"),
            Column(
                "read_at",
                "Status",
                kind="status",
                value=lambda row: ("read", "Read") if row["read_at"] else ("new", "Unread"),
                needs=("read_at",),
            ),
            Column("created_at", "When"),
        ),
    )


class NoticeDetail(Detail):
    """One notice; opening it marks it as read."""

    model = Notice
    template_name = "notices/detail.html"
    parents = (("Notifications", "notice_list"),)

    def actions(self) -> list[tuple[str, str, bool]]:
        url = self.object.url
        return [("Open", url, True)] if url and url_has_allowed_host_and_scheme(url, allowed_hosts=None) else []

    def get(self, request, *args, **kwargs) -> HttpResponse:
        services.read(user=request.user, notices=Notice.objects.filter(pk=self.object.pk))
        return super().get(request, *args, **kwargs)


class Preferences(Create):
    """How the user wants to be told of each kind of event."""

    title, submit_label, success = "Notifications of events", "Save", "Your choice is saved."
    lead = "How you are told of what others did. What you have to do is on your home page in any case."
    parents = (("Notifications", "notice_list"),)
    form_class = PreferencesForm

    def allowed(self) -> bool:
        return True

    def get_form_kwargs(self) -> dict:
        return {"chosen": services.preferences_of(self.request.user)}

    def perform(self, form) -> None:
        services.prefer(user=self.request.user, choices=form.choices())

    def done_url(self, result) -> str:
        return reverse("notice_preferences")


class ReadAll(LoginRequiredMixin, View):
    """POST: mark every notice of the user as read."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs) -> HttpResponse:
        services.read(user=request.user, notices=Notice.objects.all())
        return HttpResponseRedirect(reverse("notice_list"))
