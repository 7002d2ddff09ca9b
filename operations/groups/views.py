"""The page of a group's envelope: the sum as a chart and as CSV, what binds most often, and the members."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, StreamingHttpResponse
from django.urls import reverse
from django.utils.functional import cached_property

from moc import charts, sheets
from moc.portal import Page
from moc.portal.shell import url_of
from moc.portal.streaming import Tally, streamed
from operations.groups import reports

SHOWN = 50  # members, and elements that bind
PAGES = {"feeder": "feeders", "transformer": "transformers", "service_point": "service-points"}
LISTED = {"aggregation": "uuid", "feeder": "code", "transformer": "code", "service_point": "usage_point_id"}


class GroupEnvelope(Page):
    """What the members of one group may import and export together, as far as the reader may see them."""

    template_name = "operations/groups/group.html"
    lead = "The sum of the limits in force of the members that you may see."
    parents = (("Envelopes", "operations:envelopes"),)

    @cached_property
    def group(self) -> reports.Group:
        """The group of the address; 404 for what the reader may not see."""
        kind, key = self.kwargs["kind"], self.kwargs["key"]
        if kind not in reports.KINDS:
            raise Http404
        column = reports.KINDS[kind].key
        try:
            key = UUID(key) if column == "uuid" else int(key)
        except ValueError:
            raise Http404 from None
        groups = reports.found(self.request.user, kind, **{column: key}) if column == "uuid" or 0 < key < 2**63 else []
        if not groups:
            raise Http404
        return groups[0]

    @cached_property
    def sums(self) -> reports.Together:
        return reports.together(self.request.user, self.group.members)

    def get_title(self) -> str:
        return f"Envelope of {reports.KINDS[self.group.kind].label} {self.group.record}"

    def actions(self) -> list[tuple[str, str, bool]]:
        group = self.group
        listed = url_of("operations:envelopes", **{group.kind: getattr(group.record, LISTED[group.kind])})
        csv = reverse("operations:envelope_group_csv", args=[self.kwargs["kind"], self.kwargs["key"]])
        return [("CSV", csv, False), ("Envelopes of its DERs", listed, False), *self._record()]

    def _record(self) -> list[tuple[str, str, bool]]:
        """The record's own page, for whoever may see it."""
        kind, record = self.group.kind, self.group.record
        if not self.group.in_reach:
            return []
        own = ("aggregation_detail", record.uuid) if kind == "aggregation" else ("grid_record", PAGES[kind], record.pk)
        return [(reports.KINDS[kind].label.capitalize(), reverse(f"registry:{own[0]}", args=own[1:]), False)]

    def facts(self) -> list:
        group, sums = self.group, self.sums
        without = sums.without_set[sums.place_now]
        rows = [
            ("Members", len(group.members), None, "active DERs"),
            ("Import now", sums.import_kw[sums.place_now], "kW", ""),
            ("Export now", sums.max_kw[sums.place_now], "kW", ""),
            ("Without a set now", without, None, "members whose limits without envelope are counted"),
        ]
        return [("Together", rows), ("Reactive power together", self._kvar_now())]

    def _kvar_now(self) -> list:
        """What members may inject and absorb now, and of how many that is not known."""
        sums, now, rows = self.sums, self.sums.place_now, []
        for way, (least, most) in sums.kvar.items():
            told = "not known" if least[now] is None else f"{least[now]:,.1f} to {most[now]:,.1f} kvar".replace("-", "−")
            rows.append((f"While {way}ing now", told, None, "least and most injected together; negative: absorbed"))
        help_ = "members without registered capability, or without a set: they are not in these sums"
        return [*rows, ("Not known now", sums.without_kvar[now], None, help_)]

    def _kvar(self) -> dict | None:
        """The sums of kvar over time, where of any member they are known."""
        sums = self.sums
        if min(sums.without_kvar) == len(self.group.members):
            return None
        lines = {f"{side} while {way}ing": values for way, pair in sums.kvar.items() for side, values in zip(("least", "most"), pair)}
        told = {"identity": "kvar", "title": "Reactive power together (negative: absorbed)", "unit": "kvar", "zone": settings.TIME_ZONE}
        return charts.time_series(sums.times, lines, **told)

    def get_context_data(self, **kwargs) -> dict:
        group, sums = self.group, self.sums
        lines = {"export limit": sums.max_kw, "import limit": sums.import_kw}
        told = {"identity": "group", "title": "Limits together", "unit": "kW", "zone": settings.TIME_ZONE}
        members = [(each, *sums.now[each.der]) for each in group.members[:SHOWN]]
        shown = {"facts": self.facts(), "kvar": self._kvar(), "members": members, "member_count": len(group.members)}
        shown |= {"series": charts.time_series(sums.times, lines, **told), "binds": sums.binds[:SHOWN], "bind_count": len(sums.binds)}
        return super().get_context_data(**shown | kwargs)


class GroupCsv(GroupEnvelope):
    """The intervals of the same sum."""

    def get(self, request, *args, **kwargs) -> StreamingHttpResponse:
        tally = Tally(self.get_title(), "csv")
        rows = sheets.csv_rows([reports.HEADER, *tally.each(reports.csv_rows(self.sums))])
        headers = {"Content-Disposition": f'attachment; filename="envelope-{self.kwargs["kind"]}.csv"'}
        response = StreamingHttpResponse(streamed(request, rows, tally), content_type="text/csv; charset=utf-8", headers=headers)
        response.tally = tally
        return response
