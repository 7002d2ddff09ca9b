"""Who sees what and may do what: reach, scope, oversight, grants; inactive parties and strangers get nothing."""

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Permission
from django.utils import timezone

from moc.access import policy
from moc.access.models import Membership, Organization, OrganizationUserObjectPermission, Oversight, User
from moc.access.roles import OVERSIGHT, PERMISSIONS, ROLES, permissions_of, roles_with
from moc.apps import PACKAGES
from moc.history import Version, acting
from moc.rulesets.models import RuleSet
from registry.grid.models import County, ServicePoint, TdInterface
from registry.submissions.models import StagedDer, Submission, UtilityReview
from tests.sharing import part_of

pytestmark = pytest.mark.django_db
OURS = [model for model in apps.get_models() if model._meta.app_label in PACKAGES and hasattr(model, "access_paths")]


@pytest.fixture(autouse=True)
def _acting(db):
    with acting(None, "system: test"):
        yield


def afresh(user: User) -> User:
    """The user as the next request has it: rights are resolved once per user object."""
    return User.objects.get(pk=user.pk)


def ids(*organizations: Organization) -> frozenset[int]:
    return frozenset(organization.pk for organization in organizations)


def submission(world, *edcs: Organization, submitted: bool = True) -> Submission:
    """A submission with a row and, once submitted, a review for each utility."""
    at = timezone.now() if submitted else None
    facts = {"submitted_at": at, "submitted_by": world.user("aggregator", "approver"), "attestation_sha256": "0" * 64} if submitted else {}
    made = Submission.objects.create(aggregator=world.aggregator, source="form", title="One", status="draft", **facts)
    for number, edc in enumerate(edcs):
        StagedDer.objects.create(submission=made, row_number=number, aggregator=world.aggregator, edc=edc, external_id=f"d{number}")
        if submitted:
            UtilityReview.objects.create(
                submission=made, edc=edc, aggregator=world.aggregator, row_count=1, started_at=at, due_at=at, clock_rule=clock_rule()
            )
    return made


def clock_rule():
    found = RuleSet.objects.first()
    return found or RuleSet.objects.create(key="review-days", value=60, valid_during=("2020-01-01", None), source="test")


class TestReach:
    def test_a_member_reaches_the_own_organisation_by_the_roles_table(self, world):
        for kind, roles in ROLES.items():
            for role, held in roles.items():
                user = world.user(kind, role)
                for permission in PERMISSIONS:
                    own = world.organizations[kind].pk in policy.reach(user, permission)
                    assert own == (permission in held), (kind, role, permission)

    def test_oversight_widens_seeing_never_doing(self, world):
        auditor, administrator = world.user("rerra", "auditor"), world.user("rerra", "administrator")
        assert policy.reach(auditor, "view_registry") == ids(world.rerra, world.edc)
        assert policy.reach(auditor, "audit") == ids(world.rerra, world.edc)
        assert policy.reach(administrator, "manage_members") == ids(world.rerra)
        assert not policy.allows(administrator, "manage_members", world.edc)
        assert {"view_registry", "export", "audit"} == OVERSIGHT

    def test_oversight_is_one_step(self, world):
        Oversight.objects.create(overseer=world.tso2, overseen=world.rerra)
        assert policy.reach(afresh(world.user("tso2", "viewer")), "view_registry") == ids(world.tso2, world.edc2, world.rerra)

    def test_two_memberships_add_up(self, world):
        user = world.user("edc", "viewer")
        Membership.objects.create(user=user, organization=world.edc2, role="reviewer")
        assert policy.reach(afresh(user), "view_registry") == ids(world.edc, world.edc2)
        assert policy.reach(afresh(user), "review_ders") == ids(world.edc2)

    @pytest.mark.parametrize("ended", ["membership", "organisation", "user"])
    def test_what_is_inactive_gives_nothing(self, world, ended):
        user = world.user("edc", "administrator")
        if ended == "membership":
            Membership.objects.filter(user=user).update(is_active=False)
        elif ended == "organisation":
            Organization.objects.filter(pk=world.edc.pk).update(is_active=False)
        else:
            User.objects.filter(pk=user.pk).update(is_active=False)
        user = afresh(user)
        assert not any(policy.reach(user, permission) for permission in PERMISSIONS)
        assert not policy.scope(ServicePoint.objects.all(), user).exists()
        assert policy.branches(ServicePoint, user) == []
        assert not policy.allows(user, "review_ders", world.edc)

    def test_an_inactive_operator_operates_nothing(self, world):
        user = world.user("operator", "administrator")
        assert policy.operates(user, "administer")
        User.objects.filter(pk=user.pk).update(is_active=False)
        assert not policy.operates(afresh(user), "administer")

    def test_the_operator_invites_where_nobody_administers_and_nowhere_else(self, world):
        user = world.user("operator", "administrator")
        assert policy.reach(user, "manage_members") == ids(world.operator)
        User.objects.filter(pk=world.user("edc", "administrator").pk).update(is_active=False)
        assert policy.reach(afresh(user), "manage_members") == ids(world.operator, world.edc)
        assert policy.reach(world.user("operator", "auditor"), "manage_members") == frozenset()

    def test_the_operators_staff_do_not_let_themselves_in(self, world):
        user = world.user("operator", "administrator")
        permission = Permission.objects.get(codename="view_registry", content_type__app_label="moc")
        OrganizationUserObjectPermission.objects.create(user=user, permission=permission, content_object=world.edc2)
        Oversight.objects.create(overseer=world.operator, overseen=world.edc)
        assert policy.reach(afresh(user), "view_registry") == ids(world.operator)

    def test_a_grant_across_organisations(self, world):
        user = world.user("aggregator", "auditor")
        permission = Permission.objects.get(codename="view_registry", content_type__app_label="moc")
        OrganizationUserObjectPermission.objects.create(user=user, permission=permission, content_object=world.edc2)
        user = afresh(user)
        assert policy.reach(user, "view_registry") == ids(world.aggregator, world.edc2)
        assert policy.reach(user, "audit") == ids(world.aggregator)
        assert set(ServicePoint.objects.visible_to(user).values_list("edc", flat=True)) == {world.edc2.pk}


class TestScope:
    def test_rows_of_the_own_and_the_overseen(self, world):
        for user, edcs in [
            (world.user("edc", "viewer"), {world.edc.pk}),
            (world.user("edc2", "viewer"), {world.edc2.pk}),
            (world.user("rerra", "viewer"), {world.edc.pk}),
            (world.user("operator", "administrator"), set()),
            (world.user("aggregator", "viewer"), set()),
        ]:
            assert set(ServicePoint.objects.visible_to(user).values_list("edc", flat=True)) == edcs, user

    @pytest.mark.parametrize("stranger", [None, AnonymousUser(), "nobody"])
    def test_strangers_see_nothing(self, world, stranger):
        user = world.nobody if stranger == "nobody" else stranger
        public = stranger == "nobody"  # signed in: what is public is seen
        submission(world, world.edc)
        for model in OURS:
            if "SELF" not in model.access_paths:
                assert policy.scope(model._base_manager.all(), user).exists() == (
                    public and "PUBLIC" in model.access_paths and model._base_manager.exists()
                ), model
        assert not any(policy.allows(user, permission) for permission in PERMISSIONS)

    @pytest.mark.parametrize("model", [model for model in OURS if not issubclass(model, Version)], ids=lambda model: model.__name__)
    def test_branches_are_the_scope_cut_into_pieces(self, world, model, whole):
        """For everybody; in an ordinary run for every sixth, others at other models."""
        submission(world, world.edc, world.edc2)
        users = [*world.users.values(), world.machine, world.machine2, world.nobody, AnonymousUser()]
        for user in users if whole else part_of(users, model.__name__, 6):
            scoped = list(policy.scope(model._base_manager.order_by("pk"), user).values_list("pk", flat=True))
            branches = policy.branches(model, user)
            rows = model._base_manager.order_by("pk")
            cut = list(rows.values_list("pk", flat=True)) if branches is None else []
            for branch in branches or ():
                cut += rows.filter(branch).values_list("pk", flat=True)
            assert len(scoped) == len(set(scoped)), "a row comes twice"
            assert set(scoped) == set(cut), user

    @pytest.mark.parametrize("model", [model for model in OURS if hasattr(model, "history")], ids=lambda model: model.__name__)
    def test_versions_are_seen_by_whoever_sees_the_record(self, world, model):
        submission(world, world.edc)
        versions = model.history.model
        key = model._meta.pk.attname
        for user in (world.user("edc", "auditor"), world.user("aggregator", "auditor"), world.user("rerra", "auditor"), world.nobody):
            seen = set(policy.scope(versions.objects.all(), user).values_list(key, flat=True))
            assert seen == set(policy.scope(model._base_manager.all(), user).values_list("pk", flat=True)), user

    def test_oneself(self, world):
        user = world.user("edc", "viewer")
        assert list(policy.scope(User.objects.all(), user)) == [user]

    def test_a_submission_is_seen_once_however_many_utilities_review_it(self, world):
        made = submission(world, world.edc, world.edc2)
        Oversight.objects.create(overseer=world.rerra, overseen=world.edc2)
        assert list(Submission.objects.visible_to(afresh(world.user("rerra", "viewer")))) == [made]

    def test_a_path_under_a_condition_opens_when_it_holds(self, world):
        submission(world, world.edc, submitted=False)
        reviewer, filer = world.user("edc", "reviewer"), world.user("aggregator", "filer")
        row = StagedDer.objects.get()
        assert not StagedDer.objects.visible_to(reviewer).exists()
        assert not policy.allows(reviewer, "review_ders", row)
        assert policy.allows(filer, "file_ders", row)
        Submission.objects.update(submitted_at=timezone.now(), submitted_by=filer, attestation_sha256="0" * 64)
        assert list(StagedDer.objects.visible_to(reviewer)) == [row]
        assert policy.allows(reviewer, "review_ders", row)


class TestRequire:
    def test_a_permission_is_for_the_record_not_for_any_record(self, world):
        made = submission(world, world.edc)
        review = made.reviews.get()
        policy.require(world.user("edc", "reviewer"), "review_ders", review)
        policy.require(world.user("aggregator", "filer"), "file_ders", made)
        for user, permission in [
            (world.user("edc2", "reviewer"), "review_ders"),
            (world.user("edc", "viewer"), "review_ders"),
            (world.user("aggregator2", "approver"), "submit_ders"),
            (world.user("rerra", "administrator"), "review_ders"),
            (world.user("operator", "administrator"), "review_ders"),
            (world.nobody, "view_registry"),
            (AnonymousUser(), "view_registry"),
        ]:
            with pytest.raises(policy.NotPermitted):
                policy.require(user, permission, review)

    def test_paths_through_other_tables(self, world):
        made = submission(world, world.edc)
        assert policy.allows(world.user("edc", "viewer"), "view_registry", made)
        assert not policy.allows(world.user("edc2", "viewer"), "view_registry", made)
        assert policy.allows(world.user("edc", "viewer"), "view_registry", made.history.first())
        assert policy.allows(world.user("tso", "viewer"), "view_registry", TdInterface.objects.get(edc=world.edc))
        assert not policy.allows(world.user("tso2", "viewer"), "view_registry", TdInterface.objects.get(edc=world.edc))

    def test_the_system_may(self, world):
        policy.require(None, "review_ders", world.edc)

    def test_holders_are_the_active_people_of_the_organisation_with_the_right_roles(self, world):
        expected = {world.user("edc", role) for _, role in roles_with("review_ders")}
        assert set(policy.holders("review_ders", world.edc)) == expected
        Membership.objects.filter(user=world.user("edc", "approver")).update(is_active=False)
        User.objects.filter(pk=world.user("edc", "administrator").pk).update(is_active=False)
        assert set(policy.holders("review_ders", world.edc)) == {world.user("edc", "reviewer")}
        assert not policy.holders("review_ders", world.aggregator)


class TestCost:
    def test_rights_are_resolved_once_and_then_cost_nothing(self, world, django_assert_num_queries):
        user = afresh(world.user("rerra", "auditor"))
        with django_assert_num_queries(1):  # memberships, oversight, grants, what the law hides
            policy.allows(user, "audit", world.edc)
        with django_assert_num_queries(0):
            for permission in PERMISSIONS:
                policy.allows(user, permission, world.edc)
                policy.branches(ServicePoint, user, permission)
        with django_assert_num_queries(1):
            list(ServicePoint.objects.visible_to(user))
        with django_assert_num_queries(1):
            list(County.objects.all())

    def test_ids_stand_literally_in_the_query(self, world):
        query = str(ServicePoint.objects.visible_to(world.user("edc", "viewer")).query)
        assert "JOIN" not in query and f'"edc_id" = {world.edc.pk}' in query


def test_roles_hold_only_known_permissions_and_every_permission_has_a_role():
    held = set().union(*(permissions_of(kind, role) for kind, roles in ROLES.items() for role in roles))
    assert held == set(PERMISSIONS)
    assert permissions_of("edc", "filer") == permissions_of("moon", "viewer") == set()
