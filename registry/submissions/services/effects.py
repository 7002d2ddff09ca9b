"""What an effective decision does to the master record: facts, owners, limits, and the moves of the lifecycle."""

import json

from django.db.models import QuerySet
from django.utils import timezone
from psycopg import sql

from moc.bulk import run_sql, take_room
from registry.ders.models import DECIDED, Der, DerFacts
from registry.participants.models import OwnerFacts
from registry.prequalification.services import passes
from registry.submissions.kinds import MEMBERSHIP, TERMS, Kind
from registry.submissions.models import Decision, StagedDer
from registry.submissions.services import members, switches


def carry_out(decision: Decision) -> None:
    """Make an approval effective, or a notice; inside acting(). Rows that are only reviewed beside a change get limits and nothing else."""
    passes.soon()
    if decision.review.submission.kind == Kind.SWITCH:
        switches.carry_out(decision)
        return
    move = TERMS[decision.review.submission.kind].move
    rows = StagedDer.objects.of_review(decision.review).filter(decision=decision)
    if decision.review.submission.kind in MEMBERSHIP:
        _limit(decision, rows)
        members.carry_out(decision)
        return
    if not move:
        merge(decision)
        _limit(decision, rows.filter(change=StagedDer.Change.IN_SCOPE))
        _retire(decision, rows.exclude(change=StagedDer.Change.IN_SCOPE))
        return
    submission = decision.review.submission
    Der.lifecycle.move(_records(rows), move, actor=decision.decided_by or submission.submitted_by, reason=submission.reason)


def _records(rows: QuerySet[StagedDer]) -> QuerySet[Der]:
    return Der.objects.filter(pk__in=rows.order_by().values("der"))


def _sets_limits(decision: Decision) -> bool:
    """A change leaves the limits that the utility has set, unless it sets others."""
    return decision.kind == Decision.Kind.APPROVE_LIMITED or (
        decision.review.submission.kind == Kind.REGISTER and decision.kind != Decision.Kind.NOTICE
    )


def _limit(decision: Decision, rows: QuerySet[StagedDer]) -> None:
    if decision.kind == Decision.Kind.APPROVE_LIMITED:
        _records(rows).update(
            export_limit_kw=decision.export_limit_kw,
            import_limit_kw=decision.import_limit_kw,
            limits_by_time=decision.temporal_limits,
            inverter_settings=decision.inverter_settings,
        )


def _retire(decision: Decision, rows: QuerySet[StagedDer]) -> None:
    """Registered DERs that were filed with their last day leave for good."""
    told = rows.filter(der__isnull=False, decommissioned_on__isnull=False)
    if not told.exists():  # asked by itself: whether any record is one of none may take a plan that looks at each with each
        return
    leaving = _records(told).registered()
    if leaving.exists():
        Der.lifecycle.move(leaving, "decommission", actor=decision.decided_by, reason="system: the filing says the last day")


def merge(decision: Decision) -> None:
    """Write the decision's rows into the master record: owners, as they are sealed, then DERs, one statement each."""
    comma = sql.SQL(", ")
    rows = {"decision": decision.pk, "submission": decision.review.submission_id, "edc": decision.review.edc_id}
    owner = [field.column for field in OwnerFacts._meta.get_fields()]
    take_room()
    run_sql("reindex_owners", rows)
    run_sql(
        "merge_owners",
        rows,
        names=comma.join(map(sql.Identifier, owner)),
        values=comma.join(sql.Identifier("o", name) for name in owner),
        updates=_upsert("registry_derowner", owner)["updates"],
    )
    run_sql("end_former_owners_uses", rows)
    facts = [field.column for field in DerFacts._meta.get_fields()]
    keys = ["edc_id", "service_point_id", "feeder_id", "county_id", "owner_id", *(DECIDED if _sets_limits(decision) else ())]
    run_sql(
        "merge_ders",
        rows
        | {
            "today": timezone.localdate(),
            "export_limit_kw": decision.export_limit_kw,
            "import_limit_kw": decision.import_limit_kw,
            "limits_by_time": _json(decision.temporal_limits),
            "inverter_settings": _json(decision.inverter_settings),
        },
        facts=comma.join(map(sql.Identifier, facts)),
        values=comma.join(sql.Identifier("s", name) for name in facts),
        **_upsert("registry_der", [*facts[1:], *keys]),
    )


def _json(value) -> str | None:
    return None if value is None else json.dumps(value)


def _upsert(table: str, names: list[str]) -> dict[str, sql.Composable]:
    comma = sql.SQL(", ")
    return {
        "updates": comma.join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in names),
        "current": comma.join(sql.Identifier(table, name) for name in names),
        "proposed": comma.join(sql.SQL("EXCLUDED.{}").format(sql.Identifier(name)) for name in names),
    }
