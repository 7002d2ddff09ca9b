"""The part of the access matrix's scene that is about changes of registered DERs."""

from datetime import date, timedelta

from django.db import models
from django.utils import timezone

from moc.rulesets.models import RuleSet
from registry.aggregations.models import Aggregation, AggregationMember, AggregationUtility
from registry.ders.models import Der
from registry.reconfigurations.models import FormerConnection
from registry.reconfigurations.services import acts
from registry.submissions.involvement import RegulatorPart
from registry.submissions.membership import MemberValidation, StagedMember
from registry.submissions.models import StagedDer, Submission, UtilityReview
from registry.submissions.switching import LookUp, SwitchNotice
from tests.contracts.scene_aggregations import ALWAYS, make
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
    made = {"neighbour": neighbour} | _switching(world, others, neighbour) | _members(world, neighbour)
    return made | _reconfigured(world)  # when all stands that it counts


def _members(world: World, neighbour: Der) -> dict[str, models.Model]:
    """A registered aggregation with one member; a DER that joins it when the RTO has validated, and one that may not join another."""
    parties = {"aggregator": world.aggregator, "edc": world.edc}
    lasting = {"wholesale": True, "valid_during": ALWAYS, **parties}
    filed = make(world.aggregator, world.tso, name="Registered", services=["capacity"])
    AggregationMember.objects.create(aggregation=filed, der=neighbour, service_id="capacity", **lasting)
    broken = make(world.aggregator, world.tso, name="Unstated", services=["energy", "spinning_reserve"])
    facts = {"stated_on": date(2026, 1, 1), "participation_model": "bilateral", "services": ["spinning_reserve"]}
    ready = make(world.aggregator, world.tso, name="Ready for more", **facts)
    for aggregation in (filed, broken, ready):
        AggregationUtility.objects.create(aggregation=aggregation, **parties)
        for status in ("submitted", "registered"):
            Aggregation.objects.filter(pk=aggregation.pk).update(status=status)
        aggregation.refresh_from_db()
    joining, staged = _joining(world, ready, neighbour, "spinning_reserve")
    failing, _ = _joining(world, broken, neighbour, "spinning_reserve")
    return {"aggregation_filed": filed, "joining": joining, "failing_to_join": failing, "staged_member": staged}


def _joining(world: World, aggregation: Aggregation, der: Der, service: str) -> tuple[MemberValidation, StagedMember]:
    parties = {"aggregator": world.aggregator, "edc": world.edc}
    user, now = world.user("aggregator", "approver"), timezone.now()
    attested = {"submitted_at": now, "submitted_by": user, "attestation_sha256": "0" * 64}
    facts = {"aggregator": world.aggregator, "aggregation": aggregation, "kind": "add", "source": "form", "title": "DERs join", **attested}
    submission = Submission.objects.create(**facts)
    staged = StagedMember.objects.create(submission=submission, der=der, service_id=service, starts_on=timezone.localdate(), **parties)
    row = StagedDer.objects.create(submission=submission, row_number=1, external_id="D-8", der=der, der_type=der.der_type, **parties)
    StagedDer.objects.filter(pk=row.pk).update(status="approved")
    clock = {"row_count": 1, "started_at": now, "due_at": now, "clock_rule": RuleSet.objects.first()}
    UtilityReview.objects.create(submission=submission, **parties, **clock)
    due = {"row_count": 1, "due_at": now + timedelta(days=9)}
    known = {"submission": submission, "aggregation": aggregation, "aggregator": world.aggregator, "tso": world.tso}
    return MemberValidation.objects.create(**known, **due), staged


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
    parties = {"rerra": world.rerra, "edc": world.edc, "aggregator": world.aggregator}
    until = timezone.now() + timedelta(days=9)
    part = RegulatorPart.objects.create(review=others["review"], text="A comment on this review", due_at=until, **parties)
    return {"look_up": look, "switch": notice, "regulator_part": part}


def _reconfigured(world: World) -> dict[str, models.Model]:
    """A reconfiguration that was previewed; and where a service point was connected once."""
    first, second = world.feeders["edc"][:2]
    actor, last = world.user("edc", "administrator"), world.service_points["edc"][-1]
    made = acts.prepare(actor=actor, edc=world.edc, reason="Relief", starts_on=date(2026, 1, 2), from_feeder=first, to_feeder=second)
    former = FormerConnection.objects.create(
        service_point=last, edc=world.edc, feeder=first, valid_during=(None, "2025-01-01"), recorded_at=timezone.now(), reconfiguration=made
    )
    return {"reconfiguration": made, "former_connection": former}
