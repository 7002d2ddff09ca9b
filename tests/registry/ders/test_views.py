"""The DER list and record: scope, filters, search, as of a moment, moves, certificate, figures."""

from datetime import timedelta

import pytest
from django.utils import timezone

from moc.history import acting
from registry.ders import reports
from registry.ders.models import Der
from registry.participants.services import MASK
from tests.factories.ders import own, register
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
LIST = "/registry/ders/"


def shown(client, query: str = "") -> list[str]:
    """The external ids on the list's page."""
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    return [row.cells[0][1] for row in response.context["table"].rows]


@pytest.fixture
def ders(world):
    return register(world, 3)


def test_each_role_sees_its_own(world, ders, client_of):
    register(world, 1, prefix="E", edc="edc2", aggregator="aggregator2")
    both = {"D-1", "D-2", "D-3", "E-1"}
    expected = {
        "aggregator": both - {"E-1"},
        "edc": both - {"E-1"},
        "edc2": {"E-1"},
        "rerra": both - {"E-1"},
        "tso2": {"E-1"},
        "operator": set(),
    }
    for organization, ids in expected.items():
        assert set(shown(client_of(world.user(organization, "viewer")))) == ids
    assert shown(client_of(world.nobody)) == []


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("q=D-2", ["D-2"]),
        ("q=dsn3", ["D-3"]),
        ("q=1+elm", ["D-1"]),
        ("q=aggregator", ["D-3", "D-2", "D-1"]),
        ("q=f1", ["D-2"]),
        ("q=%20", ["D-3", "D-2", "D-1"]),
        ("q=nothing+of+the+sort", []),
        ("q=%00", []),
        ("nameplate_ac_kw_min=2", ["D-3", "D-2"]),
        ("nameplate_ac_kw_max=1.5", ["D-1"]),
        ("sort=nameplate_ac_kw", ["D-1", "D-2", "D-3"]),
        ("sort=-nameplate_ac_kw", ["D-3", "D-2", "D-1"]),
        ("sort=serial_no", ["D-3", "D-2", "D-1"]),
        ("der_type=storage", []),
        ("status=active&county=34025", ["D-3", "D-2", "D-1"]),
        ("feeder=F2", ["D-3", "D-1"]),
        ("program=nem", []),
        ("commissioned_on_after=2019-01-01", []),
        ("der_type=nonsense", []),
    ],
)
def test_filters_search_and_sorts(world, ders, client_of, query, ids):
    assert shown(client_of(world.user("edc", "viewer")), query) == ids


def test_search_by_uuid_but_not_by_the_rows_key(world, ders, client_of):
    client = client_of(world.user("rerra", "auditor"))
    assert shown(client, f"q={ders[0].uuid}") == ["D-1"]
    assert shown(client, f"q={ders[0].pk}") == []


def test_a_filter_offers_only_parties_that_the_user_may_know(world, ders, client_of):
    def offered(organization, name):
        form = client_of(world.user(organization, "viewer")).get(LIST).context["filterset"].form
        return [label for value, label in form.fields[name].choices if value]

    assert offered("aggregator", "aggregator") == [str(world.aggregator)]
    assert offered("aggregator", "edc") == [str(world.edc), str(world.edc2)]
    assert offered("edc2", "edc") == [str(world.edc2)]


def test_no_filter_is_chosen_at_first(world, ders, client_of):
    form = client_of(world.user("edc", "viewer")).get(LIST).context["filterset"].form
    for name in ("der_type", "status", "edc", "aggregator", "county", "customer_sector"):
        assert next(iter(form.fields[name].choices))[0] == ""


def test_query_count_does_not_grow(world, client_of, django_assert_num_queries):
    client = client_of(world.user("rerra", "viewer"))
    register(world, 2, prefix="A")
    client.get(LIST)
    with django_assert_num_queries(9):  # session, user, rights, parties, counties, page, rows, role, what waits
        client.get(LIST)
    register(world, 30, prefix="B")
    with django_assert_num_queries(9):
        client.get(LIST)


def test_paging_keeps_filters_and_counts(world, client_of):
    register(world, 53)
    client = client_of(world.user("edc", "viewer"))
    first = client.get(f"{LIST}?status=active")
    assert "Several pages" in first.context["page"]["count_text"] and "status=active" in first.context["page"]["next_url"]
    second = client.get(LIST + first.context["page"]["next_url"])
    assert [row.cells[0][1] for row in second.context["table"].rows] == ["D-3", "D-2", "D-1"]
    assert client.get(LIST).context["page"]["count_text"] == "53 DERs"
    assert client.get(f"{LIST}?status=active&count=exact").context["page"]["count_text"] == "53 DERs"


def test_list_and_record_as_of_a_moment(world, ders, client_of):
    before = timezone.now()
    with acting(world.user("aggregator", "filer"), "A bigger inverter"):
        Der.objects.filter(pk=ders[0].pk).update(nameplate_ac_kw=9)
    client, query = client_of(world.user("rerra", "auditor")), f"as_of={before.isoformat().replace('+', '%2B')}"
    row = client.get(f"{LIST}?{query}").context["table"].rows[-1]
    assert row.cells[3][1] == 1
    url = f"{LIST}{ders[0].uuid}/"
    assert client.get(f"{url}?{query}").context["object"].nameplate_ac_kw == 1
    page = client.get(url)
    assert page.context["object"].nameplate_ac_kw == 9
    newest = page.context["timeline"][0]
    assert (newest.kind, newest.who, newest.why) == ("changed", "Filer of aggregator", "A bigger inverter")
    assert newest.changes == [("Nameplate AC (kW)", 1, 9)]
    assert client.get(f"{url}?as_of=2020-01-01").status_code == 404


def test_people_are_named_to_auditors_only(world, ders, client_of):
    with acting(world.user("aggregator", "filer"), "Why"):
        Der.objects.filter(pk=ders[0].pk).update(firmware="2")
    url = f"{LIST}{ders[0].uuid}/"
    assert "Filer of aggregator" in client_of(world.user("rerra", "auditor")).get(url).content.decode()
    assert "Filer of aggregator" not in client_of(world.user("edc", "viewer")).get(url).content.decode()


def test_the_owner_is_shown_to_those_who_may_see_personal_data(world, ders, client_of):
    own(world, ders[0])
    url = f"{LIST}{ders[0].uuid}/"
    seen = client_of(world.user("edc", "reviewer")).get(url).content.decode()
    assert MASK in seen and "Ada Owner" not in seen
    for organization, role in (("edc", "viewer"), ("rerra", "auditor"), ("tso", "administrator")):
        assert MASK not in client_of(world.user(organization, role)).get(url).content.decode()


def test_what_one_may_not_see_is_not_there(world, ders, client_of):
    for path in ("", "certificate.pdf"):
        for user in (world.user("edc2", "administrator"), world.nobody):
            assert client_of(user).get(f"{LIST}{ders[0].uuid}/{path}").status_code == 404


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        ("approved", ["reinstate", "retire"]),
        ("active", ["suspend", "retire"]),
        ("inactive", ["reinstate", "retire"]),
        ("decommissioned", []),
    ],
)
def test_the_status_changes_by_filings_for_those_who_file(world, ders, client_of, status, changes):
    """¶336: the page has no door of its own to the lifecycle; its acts lead to a filing of the kind, for this DER."""
    with acting(None, REASON):
        Der.objects.filter(pk=ders[0].pk).update(status="inactive" if status == "approved" else status)
        if status == "approved":
            ders[0] = register(world, 1, prefix="N", status="approved")[0]
    url = f"{LIST}{ders[0].uuid}/"
    found = client_of(world.user("aggregator", "filer")).get(url)
    assert found.context["transitions"] == []
    offered = [address.rpartition("&change=")[2] for _, address, _ in found.context["actions"] if "&change=" in address]
    assert offered == changes
    assert b"&amp;change=" not in client_of(world.user("edc", "approver")).get(url).content
    assert client_of(world.user("aggregator", "approver")).post(f"{url}transitions/retire/", {"reason": "No"}).status_code == 404


def test_the_act_of_the_page_opens_the_filing_with_its_kind_chosen(world, ders, client_of):
    page = client_of(world.user("aggregator", "filer")).get(f"/registry/submissions/new/change/?q={ders[0].uuid}&change=suspend")
    assert page.context["form"]["kind"].value() == "suspend" and page.context["form"].found == 1


def test_the_certificate_is_a_pdf(world, ders, client_of):
    response = client_of(world.user("aggregator", "viewer")).get(f"{LIST}{ders[0].uuid}/certificate.pdf")
    assert response["Content-Type"] == "application/pdf" and response.content.startswith(b"%PDF")


def test_the_states_figures_add_up(world, client_of):
    register(world, 3)
    register(world, 2, prefix="E", edc="edc2", aggregator="aggregator2", der_type="storage", energy_capacity_kwh=10)
    page = client_of(world.all_seeing()).get("/state/")
    assert (page.context["ders"], page.context["kw"]) == (5, 9)
    assert page.context["technologies"] == [("Photovoltaic", 3, 6), ("Storage", 2, 3)]
    assert client_of(world.user("edc2", "viewer")).get("/state/").context["ders"] == 2
    assert client_of(world.nobody).get("/state/").status_code == 404


def test_a_utility_then_and_now(world, client_of):
    moved, _ = register(world, 2)
    with acting(None, "system: tests"):
        Der.objects.filter(pk=moved.pk).update(edc=world.edc2)
    user = world.all_seeing()
    now = timezone.now()
    assert reports.then_and_now(user, world.edc.pk, now) == [("Photovoltaic", 1, 2, 1, 2)]
    assert reports.then_and_now(user, world.edc2.pk, now) == [("Photovoltaic", 1, 1, 1, 1)]
    before = moved.history.last().history_date
    assert reports.then_and_now(user, world.edc.pk, before) == [("Photovoltaic", 2, 3, 1, 2)]
    assert reports.then_and_now(world.user("aggregator2", "viewer"), world.edc.pk, before) == []
    page = client_of(user).get(f"/state/?utility={world.edc.pk}&day=2020-01-01")
    assert page.context["compared"] == [("Photovoltaic", 0, 0, 1, 2)]
    assert client_of(user).get("/state/?utility=0&day=tomorrow").context["compared"] is None


def test_versions_among_named_objects_are_those_that_stood(world, ders):
    versions = Der.history.model.objects
    moments = [timezone.now()]
    for edc, kw in (("edc2", 5), ("edc", 6)):
        with acting(None, "system: tests"):
            Der.objects.filter(pk=ders[0].pk).update(edc=world.organizations[edc], nameplate_ac_kw=kw)
        moments.append(timezone.now())
    with acting(None, "system: tests"):
        Der.objects.filter(pk=ders[1].pk).delete()
    moments += [timezone.now(), timezone.now() - timedelta(days=1)]
    for moment in moments:
        for edc in (world.edc, world.edc2):
            plain = set(versions.filter(edc=edc).as_of(moment).values_list("id", "nameplate_ac_kw"))
            named = versions.filter(edc=edc).as_of(moment, among=versions.filter(edc=edc))
            assert set(named.values_list("id", "nameplate_ac_kw")) == plain
