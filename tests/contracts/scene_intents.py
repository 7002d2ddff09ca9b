"""The part of the access matrix's scene about notices of intent: one with the utility, one with the aggregator, one settled."""

from decimal import Decimal

from django.db import models

from registry.intents import services
from tests.factories.world import World


def objects(world: World) -> dict[str, models.Model]:
    """Each with one DER."""
    filer, reviewer = world.user("aggregator", "filer"), world.user("edc", "reviewer")
    stated = [services.Stated("I-1", "photovoltaic", Decimal(5), "edc-up-01", "A-9")]
    sent = {
        name: services.send(actor=filer, aggregator=world.aggregator, edc=world.edc, title=name, points=stated)
        for name in ("intent", "intent_answered", "intent_settled")
    }
    known = {"intent_answered": services.Known("I-1", remark="Not ours"), "intent_settled": services.Known("I-1", "edc-up-01", "A-9")}
    answered = {name: services.answer(actor=reviewer, notice=sent[name], points=[each]) for name, each in known.items()}
    return sent | answered | {"intent_point": sent["intent"].points.get()}
