"""Add and change envelope policies: who manages a utility's grid does."""

from decimal import Decimal

from django.db import transaction

from moc.access import policy
from moc.access.models import Organization
from moc.errors import Conflict, UserError
from moc.history import acting
from operations.envelopes.models import EnvelopePolicy
from operations.outages.services import log
from registry.grid.models import Feeder

PERMISSION = "manage_grid"
# every column but whose it is
FACTS = tuple(field.name for field in EnvelopePolicy._meta.concrete_fields if field.name not in ("id", "edc", "feeder"))


@transaction.atomic
def add(*, actor, edc: Organization, feeder: Feeder | None = None, **facts) -> EnvelopePolicy:
    """A policy of a utility, or of one of its feeders; `facts`: columns of FACTS, else their defaults. Raises ValidationError by field,
    UserError (POLICY-FEEDER, POLICY-VOLTS, POLICY-KW), Conflict (POLICY-ONCE) where there is one."""
    policy.require(actor, PERMISSION, edc)
    if feeder is not None and feeder.edc_id != edc.pk:
        raise UserError(f"Feeder {feeder} is not of {edc}.", "Name one of this utility, or none for all its feeders.", "POLICY-FEEDER")
    if EnvelopePolicy.objects.filter(edc=edc, feeder=feeder).exists():
        raise Conflict(f"There is a policy of {feeder or 'all feeders'} already.", "Change that one.", "POLICY-ONCE")
    made = EnvelopePolicy(edc=edc, feeder=feeder, **facts)
    with acting(actor, "Envelope policy added"):
        _check(made)
        made.save(force_insert=True)
        _log(actor, made, "", "policy_add", {}, _facts(made))
    return made


@transaction.atomic
def change(*, actor, chosen: EnvelopePolicy, reason: str = "", **facts) -> EnvelopePolicy:
    """Other values of a policy: envelopes that are not over are computed anew by them. Raises as add()."""
    policy.require(actor, PERMISSION, chosen.edc)
    held = EnvelopePolicy.objects.select_for_update(of=("self",)).get(pk=chosen.pk)
    with acting(actor, reason or "Envelope policy changed"):
        before = _facts(held)
        for name, value in facts.items():
            setattr(held, name, value)
        _check(held)
        held.save()
        after = _facts(held)
        others = [name for name in FACTS if before[name] != after[name]]
        if others:
            _log(actor, held, reason, "policy_change", *({name: state[name] for name in others} for state in (before, after)))
    return held


def _facts(chosen: EnvelopePolicy) -> dict:
    """A policy's values as the log keeps them: numbers as such."""
    values = {name: EnvelopePolicy._meta.get_field(name).to_python(getattr(chosen, name)) for name in FACTS}
    return {name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _log(actor, changed: EnvelopePolicy, reason: str, act: str, before: dict, after: dict) -> None:
    """It binds the envelopes of its feeder, of all the utility's other feeders where it names none."""
    said = {"subject": f"Envelope policy of {changed.feeder or 'all feeders'}", "edc": changed.edc, "feeder": changed.feeder}
    log.write(actor=actor, act=act, reason=reason, before=before, after=after, **said)


def _check(chosen: EnvelopePolicy) -> None:
    """Refuse what the columns do not hold together."""
    chosen.clean_fields()
    low, high = (Decimal(value) for value in (chosen.v_min_pu, chosen.v_max_pu))
    if not Decimal("0.5") <= low < high <= Decimal("1.5"):
        said = f"The least voltage ({low:f}) and the most ({high:f}) do not go together."
        raise UserError(said, "Give a least voltage below the most, both from 0.5 to 1.5 per unit.", "POLICY-VOLTS")
    for name in (name for name in FACTS if name.endswith("_kw")):
        if Decimal(getattr(chosen, name)) < 0:
            label = EnvelopePolicy._meta.get_field(name).verbose_name
            raise UserError(f"“{label}” is below zero.", "Give 0 kW or more.", "POLICY-KW")
    chosen.validate_constraints()
