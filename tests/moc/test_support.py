"""Support access (N3): staff act for an organisation only under its grant, for its time, and with a mark on all that they write."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from moc import sight
from moc.access import policy, reach
from moc.access.models import Membership, Organization, User
from moc.access.roles import PERMISSIONS, ROLES, SUPPORT
from moc.access.support import LONGEST, SupportAct, SupportGrant, grant_of
from moc.errors import UserError
from moc.history import acting
from moc.jobs.services import enqueue, running
from moc.rulesets.models import RuleSet
from moc.support import services
from registry.ders.models import Der
from registry.submissions.models import Submission
from registry.submissions.services import filing
from tests.factories.ders import register
from tests.factories.world import machine

pytestmark = pytest.mark.django_db
DERS = "/registry/ders/"


def let_in(world, organization: str = "edc", scope: str = "view", days: float = 1, **facts) -> SupportGrant:
    return services.grant(
        actor=world.user(organization, "administrator"),
        organization=world.organizations[organization],
        operator=world.operator,
        scope=scope,
        until=timezone.now() + timedelta(days=days),
        reason="Case 1",
        **facts,
    )


def entered(user: User, grant: SupportGrant) -> User:
    """The user as a request has it after entering."""
    user = User.objects.get(pk=user.pk)
    user.support = grant_of(user, grant.pk)
    return user


def shown(client) -> int:
    return len(client.get(DERS).context["table"].rows)


@pytest.fixture
def staff(world) -> User:
    return world.user("operator", "administrator")


class TestGranting:
    @pytest.mark.parametrize(
        "seat", [("edc", "approver"), ("edc2", "administrator"), ("operator", "administrator"), ("rerra", "administrator")]
    )
    def test_only_the_organisations_own_administrator_grants(self, world, seat):
        actor = world.user(*seat)
        with pytest.raises(policy.NotPermitted):
            services.grant(
                actor=actor, organization=world.edc, operator=world.operator, scope="act", until=timezone.now() + timedelta(1), reason="x"
            )
        assert not SupportGrant.objects.exists()

    def test_neither_a_program_nor_staff_inside_grants_more(self, world, staff):
        with acting(None, "system: tests"):
            program = machine(world.edc, "administrator")
        inside = entered(staff, let_in(world, scope="act"))
        for actor in (program, inside):
            with pytest.raises(policy.NotPermitted):
                services.grant(
                    actor=actor,
                    organization=world.edc,
                    operator=world.operator,
                    scope="act",
                    until=timezone.now() + timedelta(1),
                    reason="x",
                )
        assert SupportGrant.objects.count() == 1

    def test_an_organisation_without_administrator_is_not_opened_by_the_operator(self, world, staff):
        with acting(None, "system: tests"):
            User.objects.filter(pk=world.user("edc", "administrator").pk).update(is_active=False)
        assert policy.allows(staff, "manage_members", world.edc)
        with pytest.raises(policy.NotPermitted):
            services.grant(
                actor=staff, organization=world.edc, operator=world.operator, scope="act", until=timezone.now() + timedelta(1), reason="x"
            )

    @pytest.mark.parametrize("days", [-1, 0, 7.1])
    def test_it_ends_in_the_future_and_within_the_rule_sets_days(self, world, days):
        with pytest.raises(UserError) as refusal:
            let_in(world, days=days)
        assert refusal.value.code == "SUPPORT_PERIOD"
        assert let_in(world, days=6.9).is_live

    def test_the_days_are_the_rule_sets(self, world):
        with acting(None, "system: tests"):
            RuleSet.objects.filter(key="support_grant_days").update(value=2)
        with pytest.raises(UserError):
            let_in(world, days=3)

    def test_only_the_operators_staff_are_let_in(self, world):
        for facts in ({"staff": world.user("tso", "viewer")}, {"staff": world.user("operator2", "administrator")}):
            with pytest.raises(UserError) as refusal:
                let_in(world, **facts)
            assert refusal.value.code == "SUPPORT_PARTY"
        with pytest.raises(UserError):
            services.grant(
                actor=world.user("edc", "administrator"),
                organization=world.edc,
                operator=world.tso,
                scope="view",
                until=timezone.now() + timedelta(1),
                reason="x",
            )

    @pytest.mark.parametrize(
        ("facts", "name"),
        [
            ({"until": -timedelta(1)}, "supportgrant_ends_later"),
            ({"until": LONGEST + timedelta(1)}, "supportgrant_not_for_long"),
            ({"reason": ""}, "supportgrant_has_reason"),
            ({"operator": "edc"}, "supportgrant_to_another"),
            ({"revoked_at": -timedelta(1)}, "supportgrant_revoked_later"),
        ],
    )
    def test_the_database_refuses_what_no_grant_may_be(self, world, facts, name):
        now = timezone.now()
        given = {
            "organization": world.edc,
            "operator": world.operator,
            "granted_by": world.user("edc", "administrator"),
            "granted_at": now,
            "until": now + timedelta(1),
            "reason": "x",
        }
        facts = {
            key: now + value if isinstance(value, timedelta) else world.organizations.get(value, value) for key, value in facts.items()
        }
        with acting(None, "system: tests"):
            with pytest.raises(IntegrityError, match=name), transaction.atomic():
                SupportGrant.objects.create(**given | facts)
            SupportGrant.objects.create(**given)


class TestRights:
    def test_without_a_grant_the_operator_sees_no_organisations_records(self, world, staff):
        register(world, 2)
        for role in ROLES["operator"]:
            user = world.user("operator", role)
            assert not Der.objects.visible_to(user).exists()
            assert not policy.allows(user, "view_registry", world.edc)
        assert policy.scope(User.objects.all(), staff, "audit").count() == User.objects.count()

    def test_the_second_line_shows_the_operator_no_more(self, world, staff):
        """A query that forgot its scope finds what the platform is run by; under a grant, that organisation's rows instead."""
        register(world, 2)
        register(world, 3, prefix="E", edc="edc2", aggregator="aggregator2")
        grant = let_in(world)
        with sight.seeing(policy.sight_of(User.objects.get(pk=staff.pk))):
            assert (Der.objects.count(), Membership.objects.filter(organization=world.edc2).exists()) == (0, True)
        with sight.seeing(policy.sight_of(entered(staff, grant))):
            assert (Der.objects.count(), Membership.objects.filter(organization=world.edc2).exists()) == (2, False)

    def test_nor_where_it_invites_the_first_administrator(self, world, staff):
        register(world, 2)
        with acting(None, "system: tests"):
            User.objects.filter(pk=world.user("edc", "administrator").pk).update(is_active=False)
        user = User.objects.get(pk=staff.pk)
        assert policy.reach(user, "manage_members") == {world.operator.pk, world.edc.pk}
        with sight.seeing(policy.sight_of(user)):
            assert not Der.objects.exists()

    def test_a_grant_that_is_not_entered_gives_nothing(self, world, staff):
        register(world, 2)
        let_in(world, scope="act")
        assert not Der.objects.visible_to(User.objects.get(pk=staff.pk)).exists()

    @pytest.mark.parametrize("kind", [kind for kind in ROLES if kind != "operator"])
    @pytest.mark.parametrize("scope", SUPPORT)
    def test_inside_the_rights_are_the_grants_and_nothing_else(self, world, staff, kind, scope):
        user = entered(staff, let_in(world, kind, scope))
        held = set().union(*ROLES[kind].values()) & SUPPORT[scope]
        for permission in PERMISSIONS:
            expected = {world.organizations[kind].pk} if permission in held else set()
            assert policy.reach(user, permission) == expected, permission
            assert not policy.operates(user, permission)

    def test_no_grant_gives_what_outlasts_it_or_a_partys_word(self):
        assert not set().union(*SUPPORT.values()) & {"manage_members", "submit_ders", "confirm_denials", "administer", "manage_rulesets"}

    def test_staff_who_do_not_administer_only_see(self, world):
        user = entered(world.user("operator", "viewer"), let_in(world, "aggregator", "act"))
        assert policy.reach(user, "view_registry") == {world.aggregator.pk}
        assert not policy.reach(user, "file_ders") and not policy.reach(user, "audit") and not policy.reach(user, "view_personal")

    def test_a_grant_to_one_is_not_for_the_others(self, world, staff):
        grant = let_in(world, staff=world.user("operator", "auditor"))
        assert grant_of(staff, grant.pk) is None
        assert grant_of(world.user("operator", "auditor"), grant.pk) == grant
        assert grant_of(world.user("operator2", "administrator"), let_in(world).pk) is None

    @pytest.mark.parametrize("ended", ["revoked", "expired", "organisation", "seat", "user"])
    def test_what_has_ended_gives_nothing_with_the_next_request(self, world, client_of, staff, ended):
        register(world, 2)
        grant, client = let_in(world), client_of(staff)
        client.post(f"/support/{grant.uuid}/enter/")
        assert shown(client) == 2
        with acting(None, "system: tests"):
            if ended == "revoked":
                services.revoke(actor=world.user("edc", "administrator"), grant=grant)
            elif ended == "expired":
                now = timezone.now()
                SupportGrant.objects.update(granted_at=now - timedelta(2), until=now - timedelta(seconds=1))
            elif ended == "organisation":
                Organization.objects.filter(pk=world.edc.pk).update(is_active=False)
            elif ended == "seat":
                staff.memberships.update(is_active=False)
            else:
                User.objects.filter(pk=staff.pk).update(is_active=False)
        answer = client.get(DERS)
        assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={DERS}" if ended == "user" else "/support/")
        assert ended == "user" or shown(client) == 0


class TestActing:
    def test_entering_and_leaving_by_session_with_a_banner_on_every_page(self, world, client_of, staff):
        register(world, 2)
        grant, client = let_in(world), client_of(staff)
        assert shown(client) == 0 and b"You act for" not in client.get("/").content
        assert f"/support/{grant.uuid}/enter/".encode() in client.get("/support/").content
        client.post(f"/support/{grant.uuid}/enter/")
        assert shown(client) == 2
        for url in ("/", DERS, "/accounts/profile/", "/support/", "/admin/", "/admin/registry/der/", "/help/"):
            page = client.get(url).content.decode()
            assert "You act for <strong>Edc of the tests</strong> until" in page, url
        client.post("/support/leave/")
        assert shown(client) == 0 and b"You act for" not in client.get("/").content
        assert list(SupportAct.objects.values_list("reason", flat=True)) == ["Left", "Entered"]

    def test_nobody_enters_what_was_not_given_to_them(self, world, client_of):
        grant = let_in(world)
        for user in (world.user("operator2", "administrator"), world.user("tso", "administrator"), world.user("edc", "administrator")):
            assert client_of(user).post(f"/support/{grant.uuid}/enter/").status_code == 404
        with pytest.raises(policy.NotPermitted):
            services.enter(actor=world.user("tso", "administrator"), grant=grant)
        assert not SupportAct.objects.exists()

    def test_every_version_says_for_whom_and_the_organisation_lists_it(self, world, client_of, staff):
        grant, client = let_in(world, "aggregator", "act"), client_of(staff)
        client.post(f"/support/{grant.uuid}/enter/")
        client.post("/registry/submissions/new/form/", {"title": "For them", "aggregator": world.aggregator.pk})
        made = Submission.objects.get()
        version = made.history.get()
        assert (version.history_user, version.history_change_reason) == (
            staff,
            "Administrator of operator (platform staff) for Aggregator of the tests: Started a draft",
        )
        act = SupportAct.objects.get(reason="Started a draft")
        assert (act.grant, act.user, act.transaction_id) == (grant, staff, version.transaction_id)
        page = client_of(world.user("aggregator", "administrator")).get(f"/support/{grant.uuid}/").content.decode()
        assert "Started a draft" in page and "Entered" in page and "Administrator of operator" in page
        timeline = client_of(world.user("aggregator", "filer")).get(f"/registry/submissions/{made.uuid}/").content.decode()
        assert "(platform staff) for Aggregator of the tests" in timeline
        assert client_of(world.user("aggregator2", "administrator")).get(f"/support/{grant.uuid}/").status_code == 404

    def test_no_writer_forgets_the_mark(self, world, staff):
        user = entered(staff, let_in(world, "aggregator", "act"))
        (der,) = register(world, 1)
        with acting(user, "first"):
            Der.objects.filter(pk=der.pk).update(model="a")
            with acting(user, "second"):
                Der.objects.filter(pk=der.pk).update(model="b")
            Der.objects.filter(pk=der.pk).update(model="c")
        reasons = [version.history_change_reason.partition(": ") for version in der.history.all()[:3]]
        assert [reason for _, _, reason in reasons] == ["first", "second", "first"]
        assert {mark for mark, _, _ in reasons} == {"Administrator of operator (platform staff) for Aggregator of the tests"}
        assert sorted(SupportAct.objects.values_list("reason", flat=True)) == ["first", "second"]

    def test_what_was_rolled_back_is_not_listed(self, world, staff):
        user = entered(staff, let_in(world, "aggregator", "act"))
        with pytest.raises(ZeroDivisionError), acting(user, "in vain"):
            1 / 0  # noqa: B018
        assert not SupportAct.objects.exists()

    def test_a_job_acts_for_whom_its_user_acted(self, world, staff):
        grant = let_in(world, "aggregator", "act")
        job = enqueue(actor=entered(staff, grant), task="moc.jobs.tasks.sweep", title="A job")
        job = type(job).objects.get(pk=job.pk)
        assert policy.reach(job.actor, "file_ders") == {world.aggregator.pk}
        services.revoke(actor=world.user("aggregator", "administrator"), grant=grant)
        ended = type(job).objects.get(pk=job.pk).actor
        assert not policy.reach(ended, "file_ders") and not policy.operates(ended, "administer")
        assert ended.signed("late").startswith("Administrator of operator (platform staff) for")

    def test_a_job_sees_what_its_user_saw(self, world, staff):
        register(world, 2)
        register(world, 3, prefix="E", edc="edc2", aggregator="aggregator2")
        job = enqueue(actor=entered(staff, let_in(world)), task="moc.jobs.tasks.sweep", title="A job")
        with running(job.pk) as (mine, _):
            assert (mine.actor.support.organization, Der.objects.count()) == (world.edc, 2)

    def test_what_staff_make_belongs_to_the_organisation(self, world, staff):
        user = entered(staff, let_in(world, "aggregator", "act"))
        assert policy.own_organizations(user) == [world.aggregator]
        draft = filing.create_draft(actor=user, aggregator=world.aggregator, title="For them")
        assert draft.aggregator == world.aggregator

    def test_the_api_knows_the_session(self, world, client_of, staff):
        register(world, 2)
        grant, client = let_in(world), client_of(staff)
        assert client.get("/api/v1/registry/ders/").json()["results"] == []
        client.post(f"/support/{grant.uuid}/enter/")
        assert len(client.get("/api/v1/registry/ders/").json()["results"]) == 2
        services.revoke(actor=world.user("edc", "administrator"), grant=grant)
        assert client.get("/api/v1/registry/ders/").json()["results"] == []


def test_what_was_done_stays_written(world, staff):
    services.enter(actor=staff, grant=let_in(world))
    for attempt in (lambda: SupportAct.objects.update(reason="nothing"), lambda: SupportAct.objects.all().delete()):
        with pytest.raises(DatabaseError, match="never lost"), transaction.atomic():
            attempt()
    assert SupportAct.objects.get().reason == "Entered"


def test_who_can_reach_a_record_names_the_staff_who_were_let_in(world, staff):
    (der,) = register(world, 1)
    assert staff not in {way.user for way in reach.explain(der, "view_registry")}
    grant = let_in(world)
    ways = {way.user: way.why for way in reach.explain(der, "view_registry")}
    assert "has let them until" in ways[staff]
    assert world.user("operator", "viewer") in ways
    services.revoke(actor=world.user("edc", "administrator"), grant=grant)
    assert staff not in {way.user for way in reach.explain(der, "view_registry")}
