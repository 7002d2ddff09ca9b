"""Rule rows that bind how utilities share room are acts of the operational log: an entry for each utility that a row binds."""

from django.db import transaction
from django.utils import timezone

from moc import sight
from moc.access.models import Organization
from moc.rulesets.models import RuleSet
from operations.envelopes.services.ruled import METHOD, WEIGHTS
from operations.network.models import NetworkVersion
from operations.outages.models import LogEntry
from operations.outages.services import log
from operations.outages.services.registered import since
from registry.prequalification.rules.numbers import Numbers


def look() -> int:
    """Rows of the method or the weights that were added, changed or removed since the last look; returns entries written. Idempotent."""
    with sight.engine():
        new = list(since(RuleSet, "rule", "history_id").filter(key__in=(METHOD, WEIGHTS)))
        if not new:
            return 0
        authorities = Numbers.on(timezone.localdate()).authorities["edc_id"]
        modelled = NetworkVersion.objects.filter(status=NetworkVersion.Status.CURRENT).values("edc")
        utilities = list(Organization.objects.filter(pk__in=modelled).order_by("pk"))
        return sum(_told(version, [edc for edc in utilities if version.authority in (*authorities[edc.pk], "")]) for version in new)


def _told(version, utilities: list[Organization]) -> int:
    """The entries of one version of a row, all or none; what changes neither the value nor its days is no act."""
    before, after = _former(version), {} if version.history_type == "-" else _state(version)
    if before == after:
        return 0
    with transaction.atomic():
        if LogEntry.objects.filter(rule=version).exists():
            return 0
        for edc in utilities:
            log.write(
                actor=version.history_user,
                act="rule_change",
                subject=f"Rule row {version.key} of {version.authority or 'all markets'}",
                reason=version.source,
                edc=edc,
                rule=version,
                told_in=version.transaction_id,
                at=version.history_date,
                before=before,
                after=after,
            )
    return len(utilities)


def _former(version) -> dict:
    """The row as it was; of one that is new the row whose place it takes, as that stood last."""
    versions = RuleSet.history.model.objects.filter(history_id__lt=version.history_id).order_by("-history_date", "-history_id")
    if version.history_type != "+":
        return _state(versions.filter(id=version.id).first())
    start = version.valid_during.lower
    same = versions.filter(key=version.key, authority=version.authority).exclude(id=version.id).exclude(history_type="-")
    former = same.filter(valid_during__endswith=start).first() if start else None
    return _state(former) if former else {}


def _state(version) -> dict:
    days = version.valid_during
    return {"value": version.value, "in_force": f"{days.lower or 'ever'} to {days.upper or 'further notice'}"}
