"""Grid events: told by a utility, or of an interface by its RTO; whom they touch is found by topology."""

from django.db.models import Value

from moc.access import policy
from moc.access.models import Organization
from moc.bulk import insert_select
from moc.errors import UserError
from moc.units import counted
from operations.outages import reports
from operations.outages.models import GridEvent, TouchedDer
from operations.outages.services import log
from operations.outages.services.course import OF_RTO, OF_UTILITY, Course
from registry.ders.models import Der

COLUMNS = ("event_id", "der_id", "aggregator_id", "edc_id")


class GridCourse(Course):
    """Of grid events."""

    model, act, page = GridEvent, "event", "operations:grid_event"

    def may_tell(self, user) -> bool:
        """Utilities tell events on their grid, RTOs on their interfaces."""
        return bool(policy.reach_of(user, OF_UTILITY, Organization.Kind.EDC) | policy.reach_of(user, OF_RTO, Organization.Kind.TSO))

    def own(self, actor, event: GridEvent) -> None:
        """The place is the teller's own; an interface that its RTO tells of names the RTO."""
        places = [each for each in (event.td_interface, event.feeder, event.transformer) if each is not None]
        if len(places) != 1:
            raise UserError("Name one place.", "Name an interface, a feeder, or a transformer.", "EVENT-PLACE")
        event.edc = places[0].edc
        if policy.allows(actor, OF_UTILITY, event.edc):
            return
        market = event.td_interface and event.td_interface.pnode.tso
        if market is None or not policy.allows(actor, OF_RTO, market):
            raise policy.NotPermitted("You may not tell events here.")
        event.tso = market

    def find(self, event: GridEvent) -> None:
        points = reports.points_behind(event)
        ders = Der.objects.registered().filter(edc=event.edc_id, service_point__in=points.values("pk"))
        row = {"event": Value(event.pk), "der": "pk", "aggregator": "aggregator_id", "edc": "edc_id"}
        insert_select(TouchedDer._meta.db_table, COLUMNS, [ders.order_by().values_list(*row.values())])
        facts = reports.counted(event) | {"point_count": points.count()}
        GridEvent.objects.filter(pk=event.pk).update(**facts)
        event.refresh_from_db()

    def news(self, event: GridEvent) -> str:
        return f"{counted(event.point_count, 'service points')} are behind it"

    def concerned(self, event: GridEvent) -> list[tuple[Organization, str]]:
        """Each aggregator with DERs behind it, the utility where its RTO told it, the RTO where the utility's interface is meant."""
        found = [(each, "file_ders") for each in Organization.objects.filter(pk__in=event.touched.values("aggregator"))]
        if event.tso_id:
            return [*found, (event.edc, OF_UTILITY)]
        return [*found, (event.td_interface.pnode.tso, OF_RTO)] if event.td_interface_id else found

    def write(self, event: GridEvent, after: dict, **said) -> None:
        after |= {"ders": event.der_count, "aggregations": event.aggregation_count, "kw": float(event.kw)}
        feeder = event.feeder or (event.transformer and event.transformer.feeder)
        log.write(after=after, edc=event.edc, tso=event.tso, feeder=feeder, event=event, **said)

    def follow(self, event: GridEvent, held: GridEvent | None) -> None:
        log.followed(str(event))


GRID = GridCourse()
report, reschedule, move, begin_due = GRID.report, GRID.reschedule, GRID.move, GRID.begin_due
