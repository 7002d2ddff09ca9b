"""The part of the access matrix's scene that is about changes of registered DERs."""

from datetime import date, timedelta

from django.db import models
from django.utils import timezone

from registry.aggregations.models import AggregationMember
from registry.ders.models import Der
from registry.reconfigurations.models import FormerConnection
from registry.reconfigurations.services import acts
from registry.submissions.switching import LookUp, SwitchNotice
from tests.contracts.scene_aggregations import ALWAYS
from tests.factories.world import World


def objects(world: World, others: dict[str, models.Model]) -> dict[str, models.Model]:
    """A DER in the same aggregation as the reviewed one: a review can be widened to it."""
    known, parties = others["der"], {"aggregator": world.aggregator, "edc": world.edc}
    facts = {name: getattr(known, name) for name in ("der_type", "nameplate_ac_kw", "approved_export_kw", "approved_import_kw")}
    facts |= {
        name: getattr(known, name) for name in ("interconnection_agreement_no", "customer_sector", "consent_reference", "premise_address")
    }
    point = world.service_points["edc"][2]
    neighbour = Der.objects.create(**facts, **parties, external_id="D-8", service_point=point, registered_on=timezone.localdate())
    AggregationMember.objects.create(
        aggregation=others["aggregation"], der=neighbour, service_id="energy", **parties, wholesale=True, valid_during=ALWAYS
    )
    return {"neighbour": neighbour} | _reconfigured(world) | _switching(world, others, neighbour)


def _switching(world: World, others: dict[str, models.Model], neighbour: Der) -> dict[str, models.Model]:
    """The second aggregator has looked a DER up; another aggregator's customers switch, and it is heard."""
    look = LookUp.objects.create(aggregator=world.aggregator2, edc=world.edc, ders=[{"der": str(neighbour.uuid), "der_type": "x"}])
    notice = SwitchNotice.objects.create(
        submission=others["submission"],
        review=others["review"],
        aggregator=world.aggregator2,
        former=world.aggregator,
        edc=world.edc,
        row_count=1,
        ders=["D-8"],
        starts_on=timezone.localdate(),
        due_at=timezone.now() + timedelta(days=3),
    )
    return {"look_up": look, "switch": notice}


def _reconfigured(world: World) -> dict[str, models.Model]:
    """A reconfiguration that was previewed; and where a service point was connected once."""
    first, second = world.feeders["edc"][:2]
    actor, last = world.user("edc", "administrator"), world.service_points["edc"][-1]
    made = acts.prepare(actor=actor, edc=world.edc, reason="Relief", starts_on=date(2026, 1, 2), from_feeder=first, to_feeder=second)
    former = FormerConnection.objects.create(
        service_point=last, edc=world.edc, feeder=first, valid_during=(None, "2025-01-01"), recorded_at=timezone.now(), reconfiguration=made
    )
    return {"reconfiguration": made, "former_connection": former}
