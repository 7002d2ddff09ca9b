"""Events of transmission lines: told by their RTO; whom they touch is found by the lines' factors."""

from django.db.models import Count, Sum

from moc.access import policy
from moc.access.models import Organization
from operations.coordination.engine import NOTHING
from operations.coordination.models import LineEvent, LineTouched, MonitoredLine
from operations.coordination.services import ordering
from operations.coordination.services.limits import followed
from operations.outages.services import log
from operations.outages.services.course import OF_RTO, OF_UTILITY, Course, Status
from registry.ders.models import Der
from registry.grid.models import TdInterface

INTERFACE = "feeder__substation__td_interface"


def lines_of(user):
    """The lines of which a user may tell events: a queryset."""
    return MonitoredLine.objects.filter(tso__in=policy.reach_of(user, OF_RTO, Organization.Kind.TSO)).order_by("code")


class LineCourse(Course):
    """Of events of lines."""

    model, act, page = LineEvent, "line_event", "operations:line_event"

    def own(self, actor, event: LineEvent) -> None:
        event.tso = event.line.tso
        policy.require(actor, OF_RTO, event.tso)

    def find(self, event: LineEvent) -> None:
        """The interfaces of which an injection moves the line, each with its DERs by aggregator, or with none."""
        keys = [int(key) for key, factor in event.line.factors.items() if abs(factor) > NOTHING]
        ders = Der.objects.registered().filter(**{f"{INTERFACE}__in": keys}).order_by()
        sums = ders.values_list(INTERFACE, "aggregator").annotate(Count("pk"), Sum("nameplate_ac_kw"))
        found = {(key, party): (count, kw or 0) for key, party, count, kw in sums}
        found |= dict.fromkeys([(key, None) for key in set(keys) - {key for key, _ in found}], (0, 0))
        utilities = dict(TdInterface.objects.filter(pk__in=keys).values_list("pk", "edc"))
        LineTouched.objects.bulk_create(
            LineTouched(event=event, tso=event.tso, td_interface_id=key, edc_id=utilities[key], aggregator_id=party, der_count=count, kw=kw)
            for (key, party), (count, kw) in found.items()
            if key in utilities
        )

    def concerned(self, event: LineEvent) -> list[tuple[Organization, str]]:
        """Each utility of an interface behind it, each aggregator with DERs there."""
        parties = {"edc": OF_UTILITY, "aggregator": "file_ders"}
        behind = {name: Organization.objects.filter(pk__in=event.touched.values(name)) for name in parties}
        return [(party, parties[name]) for name, rows in behind.items() for party in rows]

    def write(self, event: LineEvent, after: dict, **said) -> None:
        """A row for each utility that it touches; one of none where it touches none."""
        touched = list(event.touched.select_related("td_interface", "edc").order_by("td_interface", "pk"))
        for edc in {row.edc: None for row in touched} or [None]:
            own = [row for row in touched if row.edc == edc]
            kw, codes = float(sum(row.kw for row in own)), dict.fromkeys(row.td_interface.code for row in own)
            behind = {"ders": sum(row.der_count for row in own), "kw": kw, "interfaces": ", ".join(codes)}
            log.write(after=after | behind, edc=edc, tso=event.tso, **said)

    def follow(self, event: LineEvent, held: LineEvent | None) -> None:
        """What can be delivered now, and at the moments to come of which it was computed before."""
        if event.status in (Status.ACTIVE, Status.RESTORED):
            followed(event.line, event.tso)
        ordering.anew(event.tso, min(each.starts_at for each in (held, event) if each))


LINES = LineCourse()
report, reschedule, move, begin_due = LINES.report, LINES.reschedule, LINES.move, LINES.begin_due
