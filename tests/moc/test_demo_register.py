"""The demonstration's aggregators are registered by its regulator, through the services: R5."""

import pytest

from moc.demo import load
from moc.demo.parties import AGGREGATORS
from moc.demo.people import load_people
from moc.demo.register import register
from moc.history import acting
from moc.rulesets import services as rulesets
from registry.aggregators import reports
from registry.aggregators.models import AggregatorRegistration
from tests.factories.filings import store_in

pytestmark = pytest.mark.django_db


def test_every_aggregator_is_in_good_standing_and_a_second_time_changes_nothing(settings, tmp_path):
    store_in(settings, tmp_path)
    rulesets.load()
    with acting(None, load.REASON):
        organizations = load._organizations()
        load_people(organizations)
        register(organizations)
        register(organizations)
    assert AggregatorRegistration.objects.filter(status="registered").count() == len(AGGREGATORS)
    for party in AGGREGATORS:
        assert reports.obstacles(organizations[party.code]) == []
