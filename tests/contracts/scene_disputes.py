"""The part of the access matrix's scene that is about disputes: between the parties, before the RTO, before the regulator, determined."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from moc.rulesets.models import RuleSet
from registry.submissions.models import Decision, StagedDer
from settlement.disputes.endings import Determination, SettlementProposal
from settlement.disputes.models import BundleItem, Dispute, DisputePart
from tests.factories.world import World


def objects(world: World, others: dict[str, models.Model]) -> dict[str, models.Model]:
    """Five disputes over rows of the scene's review, and a denied row that nobody disputes yet."""
    rows = {
        name: _row(others["row"], place, name) for place, name in enumerate(("negotiating", "at_rto", "at_rerra", "drafted", "done"), 11)
    }
    made = {name: _dispute(world, row, name) for name, row in rows.items()}
    filed = _file(world, made)
    draft, done = _determinations(world, made)
    undisputed = _denied(world, _row(others["row"], 17, "undisputed"), others["document"])
    return {
        "dispute": made["negotiating"],
        "dispute_at_rto": made["at_rto"],
        "dispute_at_rerra": made["at_rerra"],
        "dispute_drafted": made["drafted"],
        "drafted_determination": draft,
        "determination": done,
        "undisputed": undisputed,
        **filed,
    }


def _row(like: StagedDer, number: int, name: str) -> StagedDer:
    """Another row of the review, at the same place."""
    row = StagedDer.objects.get(pk=like.pk)
    row.pk, row.row_number, row.external_id, row.status = None, number, f"D-{name}", StagedDer.Status.PENDING
    row._state.adding = True
    row.save()
    return row


def _denied(world: World, row: StagedDer, evidence) -> StagedDer:
    review = row.submission.reviews.get(edc=world.edc)
    people = {"decided_by": world.user("edc", "reviewer"), "confirmed_by": world.user("edc", "approver")}
    decision = Decision.objects.create(
        review=review, kind="deny", reason_code="data_mismatch", evidence=evidence, row_count=1, confirmed_at=timezone.now(), **people
    )
    for status in (StagedDer.Status.DENIAL_PROPOSED, StagedDer.Status.DENIED):
        StagedDer.objects.filter(pk=row.pk).update(status=status, decision=decision)
    row.refresh_from_db()
    return row


def _dispute(world: World, row: StagedDer, name: str) -> Dispute:
    now = timezone.now()
    made = Dispute.objects.create(
        title=f"DER {row.external_id}",
        row=row,
        **{side: world.organizations[side] for side in ("aggregator", "edc", "tso", "rerra")},
        claim="Approve it",
        clock_rule=RuleSet.objects.get(key="dispute_parties_days", authority=""),
        due_at=now + timedelta(days=30),
        turn="aggregator",
        turn_due_at=now + timedelta(days=10),
        opened_by=world.user("aggregator", "approver"),
        bundle_count=1,
        bundle_sha256="0" * 64,
    )
    moves = {"at_rto": "rto", "at_rerra": "rerra", "drafted": "rerra", "done": "rerra"}
    if level := moves.get(name):
        facts = {"status": f"at_{level}", "level": level, f"{level}_since": now}
        Dispute.objects.filter(pk=made.pk).update(**facts)
    made.refresh_from_db()
    return made


def _file(world: World, made: dict[str, Dispute]) -> dict[str, models.Model]:
    """A shared part with a file, a part in confidence, a question to the aggregator, a proposal of the utility, a record of a bundle."""
    own = {"author": world.aggregator, "side": "aggregator"}
    before, between = made["at_rto"], made["negotiating"]
    evidence = _evidence(world)
    shared = DisputePart.objects.create(
        dispute=between, kind="evidence", level="parties", text="A study", document=evidence, document_name="study.csv", **own
    )
    hidden = DisputePart.objects.create(
        dispute=before, kind="evidence", level="rto", text="Prices", is_shared=False, document=evidence, **own
    )
    question = DisputePart.objects.create(
        dispute=before, kind="question", level="rto", text="Which?", author=world.tso, side="tso", asked="aggregator", due_at=timezone.now()
    )
    proposal = SettlementProposal.objects.create(
        dispute=between, side="edc", terms="Let it stand", effect="none", proposed_by=world.user("edc", "approver")
    )
    item = BundleItem.objects.create(
        dispute=between, kind="record", source="registry.StagedDer", source_key=1, stood_at=timezone.now(), content="{}", sha256="0" * 64
    )
    return {"dispute_part": shared, "hidden_part": hidden, "question_part": question, "proposal": proposal, "bundle_item": item}


def _evidence(world: World) -> models.Model:
    from tests.contracts.scene import document  # the scene's own builder; the scene imports this module

    return document(world, b"evidence", kind="evidence", owner=world.aggregator)


def _determinations(world: World, made: dict[str, Dispute]) -> tuple[Determination, Determination]:
    """A draft of the regulator's auditor, and a determination in effect."""
    facts = {
        "authority": world.rerra,
        "level": "rerra",
        "outcome": "upheld",
        "reasons": "It is so",
        "proposed_by": world.user("rerra", "auditor"),
    }
    draft = Determination.objects.create(dispute=made["drafted"], **facts)
    done = Determination.objects.create(dispute=made["done"], **facts)
    confirmed = {
        "confirmed_by": world.user("rerra", "administrator"),
        "confirmed_at": timezone.now(),
        "code": "C",
        "document_sha256": "0" * 64,
    }
    Determination.objects.filter(pk=done.pk).update(status="effective", document=_evidence(world), **confirmed)
    Dispute.objects.filter(pk=made["done"].pk).update(status="determined", outcome="upheld", closed_at=timezone.now(), turn="")
    done.refresh_from_db()
    return draft, done
