"""The workplace: who enters, which rows and pages they find, what they may change, and what history says of it."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.access.models import Membership, Organization, OrganizationUserObjectPermission, Oversight, User
from moc.access.reach import explain
from moc.access.roles import ROLES
from moc.admin.changelist import RecordChangeList
from moc.apps import own_models
from moc.history import acting
from moc.rulesets.models import RuleSet
from registry.ders.models import Der
from registry.grid.models import Feeder
from registry.participants.services import MASK
from registry.submissions.models import Submission
from registry.submissions.services import filing
from tests.factories.personal import registered_owner

DERS = "/admin/registry/der/"


@pytest.fixture
def ders(world) -> list[Der]:
    """Sixty DERs of one aggregator, two thirds of them with the first utility."""
    with acting(world.user("aggregator", "filer"), "filed"):
        return Der.objects.bulk_create(_der(world, "edc2" if number % 3 == 0 else "edc", number) for number in range(60))


def _der(world, utility: str, number: int) -> Der:
    point = world.service_points[utility][number % len(world.service_points[utility])]
    return Der(
        external_id=f"HA-{number:06d}",
        der_type="photovoltaic",
        nameplate_ac_kw=5,
        approved_export_kw=0,
        approved_import_kw=0,
        customer_sector="residential",
        consent_reference="C-1",
        premise_address=f"{number} Main Street",
        aggregator=world.aggregator,
        edc=point.edc,
        service_point=point,
        registered_on=timezone.localdate(),
    )


def shown(response) -> set[str]:
    return set(re.findall(r"HA-\d{6}", response.content.decode()))


def page(name: str, obj, *args) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_{name}", args=[obj.pk, *args])


def test_a_stranger_signs_in_first(client_of, db):
    assert client_of(None).get(DERS).headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("role", ["viewer", "filer"])
def test_who_has_no_work_there_finds_no_page(world, client_of, role):
    client = client_of(world.user("aggregator", role))
    assert {client.get(url).status_code for url in ("/admin/", DERS, "/admin/jsi18n/")} == {404}


@pytest.mark.whole
def test_every_list_and_form_opens_for_the_operator(world, client_of, ders):
    operator = world.user("operator", "administrator")
    client = client_of(operator)
    start = client.get("/admin/")
    assert start.status_code == 200
    for model in own_models():
        record = admin.site.get_model_admin(model)
        url = record.address("changelist")
        assert client.get(url).status_code == 200 or not policy.allows(operator, record.view_permission)
        assert client.get(f"{url}add/").status_code == (200 if record.has_add_permission(start.wsgi_request) else 404)


def test_lists_and_pages_keep_to_the_scope(world, client_of, ders):
    theirs, others = ders[1], ders[0]
    client = client_of(world.user("rerra", "auditor"))
    assert shown(client.get(DERS)) == {der.external_id for der in ders if der.edc == world.edc}
    for name in ("change", "history", "reach"):
        assert client.get(page(name, theirs)).status_code == 200
        assert client.get(page(name, others)).status_code == 404


def test_personal_data_is_not_there_for_an_auditor(world, client_of):
    with acting(None, "system: tests"):
        owner = registered_owner(world.aggregator, world.edc, edc_account_no="1", owner_name="Ann Example")
    auditor, administrator = world.user("edc", "auditor"), world.user("edc", "administrator")
    assert client_of(auditor).get(page("change", owner)).status_code == 404
    assert "/derowner/" not in client_of(auditor).get("/admin/").content.decode()
    seen = client_of(administrator).get(page("change", owner)).content.decode()
    assert MASK in seen and "Ann Example" not in seen


def test_pages_go_by_key_forward_and_back(world, client_of, ders):
    client = client_of(world.all_seeing())
    first = client.get(DERS)
    assert shown(first) == {der.external_id for der in ders[10:]}
    second = client.get(DERS + first.context["cl"].next_url)
    assert shown(second) == {der.external_id for der in ders[:10]} and not second.context["cl"].next_url
    again = client.get(DERS + second.context["cl"].previous_url)
    assert shown(again) == shown(first) and again.context["cl"].result_count == 60


def test_a_list_costs_the_same_queries_however_many_rows(world, client_of, ders, django_assert_max_num_queries):
    client = client_of(world.user("rerra", "auditor"))
    client.get(DERS)
    with django_assert_max_num_queries(18):
        client.get(DERS)


def test_search_and_filters_find_by_index(world, client_of, ders):
    client = client_of(world.all_seeing())
    assert shown(client.get(DERS, {"q": str(ders[3].uuid)})) == {"HA-000003"}
    assert shown(client.get(DERS, {"q": "HA-000007"})) - {"HA-000007"} == set()
    assert len(client.get(DERS, {"edc__id__exact": world.edc2.pk}).context["cl"].result_list) == 20
    assert client.get(DERS, {"nonsense": "1"}).status_code == 302


def test_what_is_hidden_is_not_guessed_by_filters(world, client_of):
    client = client_of(world.user("operator", "auditor"))
    assert client.get("/admin/moc/user/", {"password__startswith": "md5"}).status_code == 400
    assert client.get("/admin/moc/apitoken/", {"digest__startswith": "0"}).status_code == 400
    assert client.get("/admin/moc/membership/", {"user__password__startswith": "md5"}).status_code == 400


def test_the_record_as_of_a_moment(world, client_of, ders):
    before = timezone.now()
    with acting(world.user("edc", "reviewer"), "Feeder study F-12"):
        Der.objects.filter(pk=ders[1].pk).update(nameplate_ac_kw=9)
    client = client_of(world.user("rerra", "auditor"))
    then, now = ({"as_of": before.isoformat()}, {})
    url = page("change", ders[1])
    assert b"5.000" in client.get(url, then).content and b"9.000" in client.get(url, now).content
    assert b"9.000" not in client.get(DERS, then).content and b"9.000" in client.get(DERS, now).content
    assert shown(client.get(DERS, then)) == shown(client.get(DERS, now))
    assert client.get(url, {"as_of": (before - timedelta(days=9)).isoformat()}).status_code == 404
    assert shown(client.get(DERS, {"as_of": before.isoformat(), "q": "HA-000001"})) == {"HA-000001"}


def test_the_timeline_tells_who_why_and_what(world, client_of, ders):
    with acting(world.user("edc", "reviewer"), "Feeder study F-12"):
        Der.objects.filter(pk=ders[1].pk).update(nameplate_ac_kw=9)
    client = client_of(world.user("rerra", "auditor"))
    html = client.get(page("history", ders[1])).content.decode()
    for words in ("Feeder study F-12", "Reviewer of edc", "Nameplate AC (kW)", "<del>5</del>", "<ins>9</ins>", "filed"):
        assert words in html
    version = Der.history.model.objects.filter(id=ders[1].pk).first()
    leads = client.get(page("simple_history", ders[1], version.pk)).headers["Location"]
    assert b"9.000" in client.get(leads).content
    assert client.get(page("simple_history", ders[0], version.pk)).status_code == 404


def test_facts_are_read_only_whoever_asks(world, client_of, ders):
    client = client_of(world.all_seeing("administrator"))
    before = list(Der.objects.values())
    for url in (page("change", ders[0]), page("delete", ders[0]), f"{DERS}add/"):
        assert client.post(url, {"nameplate_ac_kw": "1", "reason": "no", "post": "yes"}).status_code == 403
    assert list(Der.objects.values()) == before


def test_the_law_is_verified_with_a_reason_and_its_values_stay(world, client_of):
    """N13: a value comes in force by a rule change, of two people."""
    rule = RuleSet.objects.first()
    value = rule.value
    administrator = world.user("operator", "administrator")
    body = {
        "value": "61",
        "source": "Docket 1",
        "verified": "on",
    }
    url = page("change", rule)
    client = client_of(administrator)
    assert b"Fill this in" in client.post(url, body).content
    assert client.post(url, body | {"reason": "Read in the tariff"}).status_code == 302
    version = rule.history.first()
    assert (version.value, version.source, version.verified) == (value, "Docket 1", True)
    assert version.history_change_reason == "Read in the tariff"
    assert version.history_user == administrator
    assert client_of(world.user("rerra", "auditor")).post(url, body | {"value": "1", "reason": "no"}).status_code == 403
    assert rule.history.count() == 2


def test_a_utility_changes_its_own_grid_only(world, client_of):
    own, other = world.feeders["edc"][0], world.feeders["edc2"][0]
    client = client_of(world.user("edc", "administrator"))
    body = {"edc": world.edc.pk, "substation": own.substation_id, "code": "F-new", "nominal_kv": "4.8", "reason": "Renamed"}
    assert client.post(page("change", own), body).status_code == 302
    assert Feeder.objects.get(pk=own.pk).code == "F-new"
    assert client.post(page("change", other), body).status_code == 404
    moved = client.post(page("change", own), body | {"edc": world.edc2.pk, "code": "F-moved"})
    assert b"Choose one of the list" in moved.content
    assert Feeder.objects.get(pk=own.pk).edc == world.edc


def test_a_removal_owes_a_reason_and_leaves_its_versions(world, client_of):
    oversight = Oversight.objects.get(overseer=world.rerra, overseen=world.edc)
    client = client_of(world.user("operator", "administrator"))
    client.post(page("delete", oversight), {"post": "yes"})
    assert Oversight.objects.filter(pk=oversight.pk).exists()
    client.post(page("delete", oversight), {"post": "yes", "reason": "Jurisdiction ended"})
    assert not Oversight.objects.filter(pk=oversight.pk).exists()
    assert Oversight.history.model.objects.filter(id=oversight.pk).first().history_change_reason == "Jurisdiction ended"


def test_roles_are_given_and_ended_by_the_accounts_services(world, client_of):
    administrator, viewer = world.user("edc", "administrator"), world.user("edc", "viewer")
    own = Membership.objects.get(user=administrator)
    client = client_of(administrator)
    answer = client.post(page("change", own), {"reason": "I leave"}, follow=True)
    assert b"Nobody changes their own roles" in answer.content and Membership.objects.get(pk=own.pk).is_active
    seat = Membership.objects.get(user=viewer)
    assert client.post(page("change", seat), {"reason": "Left the company"}).status_code == 302
    assert not Membership.objects.get(pk=seat.pk).is_active
    assert seat.history.first().history_change_reason == "Left the company"


def test_the_operator_grants_across_organisations(world, client_of, ders):
    auditor = world.user("rerra2", "auditor")
    client, theirs = client_of(auditor), page("change", ders[1])
    assert client.get(theirs).status_code == 404
    permission = OrganizationUserObjectPermission._meta.get_field("permission").related_model.objects.get(codename="audit")
    grants = "organizationuserobjectpermission_set"
    body = {
        "kind": "edc",
        "name": world.edc.name,
        "legal_name": "",
        "slug": world.edc.slug,
        "is_active": "on",
        "reason": "Joint audit 12",
        f"{grants}-TOTAL_FORMS": "1",
        f"{grants}-INITIAL_FORMS": "0",
        f"{grants}-0-user": auditor.pk,
        f"{grants}-0-permission": permission.pk,
    }
    assert client_of(world.user("operator", "administrator")).post(page("change", world.edc), body).status_code == 302
    assert client_of(User.objects.get(pk=auditor.pk)).get(theirs).status_code == 200
    assert OrganizationUserObjectPermission.history.model.objects.first().history_change_reason == "Joint audit 12"
    assert client_of(world.user("edc", "administrator")).post(page("change", world.edc), body).status_code == 403


@pytest.fixture
def drafts(world) -> list[Submission]:
    with acting(world.user("aggregator", "filer"), "filed"):
        return Submission.objects.bulk_create(
            Submission(aggregator=world.aggregator, source="form", title=f"Draft {number}") for number in range(4)
        )


def test_a_move_goes_through_the_service_with_its_reason(world, client_of, drafts):
    own = world.user("aggregator", "administrator")
    client = client_of(own)
    url = page("move", drafts[0], "withdraw")
    assert client.get(url).status_code == 200
    client.post(url, {"confirmed": "yes", "reason": ""})
    assert Submission.objects.get(pk=drafts[0].pk).status == "draft"
    assert client.post(url, {"confirmed": "yes", "reason": "A mistake"}).status_code == 302
    moved = Submission.objects.get(pk=drafts[0].pk)
    assert moved.status == "withdrawn" and moved.history.first().history_user == own
    assert client.get(url).status_code == 404
    others = client_of(world.user("aggregator2", "administrator"))
    assert others.post(page("move", drafts[1], "withdraw"), {"confirmed": "yes", "reason": "No"}).status_code == 404


def test_a_set_is_moved_from_the_list_all_or_nothing(world, client_of, drafts):
    client, address = client_of(world.user("aggregator", "administrator")), "/admin/registry/submission/"
    chosen = [draft.pk for draft in drafts[:3]]
    asked = client.post(address, {"action": "move_withdraw", "_selected_action": chosen})
    assert asked.status_code == 200 and b"3" in asked.content
    done = {"action": "move_withdraw", "_selected_action": chosen, "confirmed": "yes", "reason": "Mistakes"}
    assert client.post(address, done).status_code == 302
    assert Submission.objects.filter(status="withdrawn").count() == 3
    again = client.post(address, done | {"_selected_action": [*chosen, drafts[3].pk]}, follow=True)
    assert "possible only from" in again.content.decode() and Submission.objects.filter(status="withdrawn").count() == 3


def test_lists_are_exported_as_csv_xlsx_and_pdf(world, client_of, ders):
    client = client_of(world.user("rerra", "auditor"))
    wish = {"_selected_action": [ders[1].pk], "select_across": "1"}
    csv = b"".join(client.post(DERS, wish | {"action": "export_csv"}).streaming_content).decode()
    assert len(csv.splitlines()) == 41 and "HA-000000" not in csv and "Edc of the tests" in csv
    xlsx = client.post(DERS, wish | {"action": "export_xlsx"})
    assert b"".join(xlsx.streaming_content)[:2] == b"PK"
    pdf = client.post(DERS, wish | {"action": "export_pdf"})
    assert pdf.content[:5] == b"%PDF-"


def test_an_export_is_as_of_the_moment_of_its_list(world, client_of, ders):
    before = timezone.now()
    with acting(world.user("edc", "reviewer"), "Feeder study F-12"):
        Der.objects.update(nameplate_ac_kw=9)
    client = client_of(world.user("rerra", "auditor"))
    url = f"{DERS}?{urlencode({'as_of': before.isoformat()})}"
    version = client.get(url).context["cl"].result_list[0]
    answer = client.post(url, {"_selected_action": [version.pk], "action": "export_csv"})
    header, row = b"".join(answer.streaming_content).decode().splitlines()
    assert dict(zip(header.lstrip("\ufeff").split(","), row.split(","), strict=True))["nameplate_ac_kw"] == "5.000"
    assert "as-of" in answer.headers["Content-Disposition"]


def test_a_submission_is_withdrawn_by_its_service(world, client_of):
    actor = world.user("aggregator", "administrator")
    submission = filing.create_draft(actor=actor, aggregator=world.aggregator, title="Portfolio")
    url = page("move", submission, "withdraw")
    assert client_of(world.user("aggregator2", "administrator")).post(url, {"confirmed": "yes", "reason": "Mistake"}).status_code == 404
    assert client_of(actor).post(url, {"confirmed": "yes", "reason": "Filed twice"}).status_code == 302
    assert submission.history.first().history_change_reason == "Filed twice"
    assert type(submission).objects.get(pk=submission.pk).status == "withdrawn"


def test_who_can_reach_a_record_is_who_the_policy_lets(world, ders):
    with acting(None, "system: tests"):
        permission = OrganizationUserObjectPermission._meta.get_field("permission").related_model.objects.get(codename="audit")
        OrganizationUserObjectPermission.objects.create(user=world.user("tso2", "viewer"), content_object=world.edc, permission=permission)
    told = {way.user for way in explain(ders[1], "audit")}
    let = {user for user in User.objects.all() if policy.scope(Der.objects.all(), user, "audit").filter(pk=ders[1].pk).exists()}
    assert told == let and world.user("tso2", "viewer") in told


def test_the_page_tells_why_they_can(world, client_of, ders):
    html = client_of(world.user("rerra", "auditor")).get(page("reach", ders[1])).content.decode()
    assert "Rerra of the tests oversees Edc of the tests" in html
    assert (
        "Everybody who is signed in"
        in client_of(world.user("rerra", "auditor")).get(page("reach", RuleSet.objects.first())).content.decode()
    )


def test_the_page_names_nobody_of_another_party(world, client_of, ders):
    """N3: an aggregator learns that the utility's members reach its DER, not who they are; the regulator sees who."""
    told = {
        kind: client_of(world.user(kind, "administrator")).get(page("reach", ders[1])).content.decode() for kind in ("aggregator", "rerra")
    }
    reviewer, own = str(world.user("edc", "auditor")), str(world.user("aggregator", "administrator"))
    assert own in told["aggregator"] and "Members" in told["aggregator"] and reviewer not in told["aggregator"]
    assert reviewer in told["rerra"]


def test_the_front_page_counts_and_tells_what_changed(world, client_of, ders):
    html = client_of(world.user("rerra", "auditor")).get("/admin/").content.decode()
    assert "40 DERs added" in html and "Rule sets to verify" in html and "Overdue reviews" in html
    figure = re.search(r"DERs</a></dt><dd>\s*([^<]*)</dd>", html)
    assert figure[1].strip() == "40"


def test_the_records_of_a_package_stand_under_its_name(world, client_of):
    """N3: not under that of its first slice."""
    shown = client_of(world.user("operator", "administrator")).get("/admin/operations/")
    assert shown.context["title"] == "Operations" and b"Operations</div>" in shown.content
    assert client_of(world.user("operator", "administrator")).get("/admin/nowhere/").status_code == 404


def test_no_page_needs_what_the_security_policy_refuses(world, client_of, ders):
    urls = {
        world.all_seeing(): ["/admin/", DERS, page("change", ders[0]), page("history", ders[0])],
        world.user("operator", "administrator"): [page("change", world.edc), page("change", RuleSet.objects.first())],
    }
    for user, url in [(user, url) for user, mine in urls.items() for url in mine]:
        answer = client_of(user).get(url)
        assert answer.status_code == 200
        html = answer.content.decode()
        assert not re.search(r"\sstyle=|<style\b|<script(?![^>]*\bsrc=)(?![^>]*application/json)|\son[a-z]+=", html), url


def test_every_kind_and_role_enters_exactly_with_work_to_do(world, client_of):
    for kind, roles in ROLES.items():
        for role, held in roles.items():
            expected = 200 if "audit" in held else 404
            assert client_of(world.user(kind, role)).get("/admin/").status_code == expected, (kind, role)


def test_the_list_class_is_ours_everywhere():
    for own in admin.site._registry.values():
        assert own.get_changelist(None) is RecordChangeList and own.show_full_result_count is False
    assert Organization in admin.site._registry


def test_a_list_of_what_holds_during_days_is_asked_as_valid_on_one(world, client_of):
    """Beside as recorded at a moment: both together, and in the export; other lists have no such question."""
    day = timezone.localdate() + timedelta(days=400)
    with acting(None, "system: tests"):
        RuleSet.objects.create(key="of-a-later-year", value=1, source="x", valid_during=(day, None))
    client = client_of(world.user("rerra", "auditor"))
    found = {
        query: "of-a-later-year" in client.get(f"/admin/moc/ruleset/?q=of-a-later{query}").content.decode().partition("result_list")[2]
        for query in ("", f"&valid_on={day}", f"&valid_on={timezone.localdate()}", f"&valid_on={day}&as_of=2020-01-01", "&valid_on=never")
    }
    assert list(found.values()) == [True, True, False, False, True]
    assert "As valid on" not in client.get("/admin/registry/der/").content.decode()
