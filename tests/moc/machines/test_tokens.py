"""Access tokens (N2, N8): how they are got, what they may, and when they die."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from moc.access import policy, tokens
from moc.access.machines import MachineClient, MachineCredential, MachineToken, UsedAssertion, digest_of
from moc.access.models import ApiToken, Membership, Organization, User
from moc.history import acting
from moc.jobs.services import enqueue
from moc.machines import services
from registry.submissions.models import Submission
from tests.factories.ders import register
from tests.factories.machines import GRANT, KEYS, REVOKE, TOKEN, api_with, post, program, unchecked, with_key

pytestmark = pytest.mark.django_db
DERS = "/api/v1/registry/ders/"
FILED = {"rows": [{"external_id": "D-9", "der_type": "photovoltaic"}]}


def status(token: str, url: str = DERS) -> int:
    return api_with(token).get(url).status_code


class TestGetting:
    def test_by_secret_in_the_header_or_in_the_form(self, world):
        own = program(world, "edc", "viewer")
        for answer in (own.ask(), post(TOKEN, GRANT | {"client_id": own.id, "client_secret": own.secret})):
            assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
            said = answer.json()
            assert (said["token_type"], said["expires_in"], said["scope"]) == ("Bearer", 900, "export run_reports view_registry")
            assert status(said["access_token"]) == 200
        stored = json.dumps(list(MachineToken.objects.values()) + list(MachineCredential.objects.values()), default=str)
        assert said["access_token"] not in stored and own.secret not in stored

    @pytest.mark.parametrize("algorithm", KEYS)
    def test_by_signed_assertion_once(self, world, algorithm):
        own = with_key(world, "edc", "viewer", algorithm)
        assertion = own.assertion()
        assert status(own.prove(assertion).json()["access_token"]) == 200
        again = own.prove(assertion)
        assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
        assert UsedAssertion.objects.count() == MachineToken.objects.count() == 1
        assert own.prove().status_code == 200

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": "https://elsewhere.example.org/oauth/token/"},
            {"aud": None},
            {"exp": 1},
            {"exp": None},
            {"exp": 9_999_999_999},
            {"jti": None},
            {"iss": "another"},
            {"iss": None},
            {"sub": None},
            {"sub": "8c0d1f8e-0000-4000-8000-000000000000"},
            {"nbf": 9_999_999_999},
        ],
        ids=str,
    )
    def test_an_assertion_says_who_to_whom_and_until_when(self, world, claims):
        own = with_key(world, "edc", "viewer", "ES256")
        answer = own.prove(own.assertion(**claims))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert not MachineToken.objects.exists()

    def test_only_the_clients_own_key_by_its_own_algorithm(self, world):
        own, other = with_key(world, "edc", "viewer", "RS256"), with_key(world, "edc2", "viewer", "RS256")
        head, body, signature = own.assertion().split(".")
        unsigned = f"eyJhbGciOiJub25lIn0.{body}."
        for assertion in (
            own.assertion(key=other.key),
            own.assertion(header={"alg": "PS256"}),
            own.assertion(header={"kid": "another"}),
            unsigned,
            f"{head}.{body}.{signature[:-4]}AAAA",
        ):
            answer = own.prove(assertion)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert own.prove(client_id=other.id).status_code == 401
        assert not MachineToken.objects.exists()

    def test_refusals_do_not_tell_whether_a_client_exists(self, world):
        own = program(world, "edc", "viewer")
        known = own.ask(secret="wrong")
        unknown = post(TOKEN, GRANT | {"client_id": "8c0d1f8e-0000-4000-8000-000000000000", "client_secret": "wrong"})
        assert known.status_code == unknown.status_code == 401
        assert known.json() == unknown.json() and known["WWW-Authenticate"] == 'Basic realm="oauth"'

    def test_errors_are_those_of_the_standard(self, world):
        own = program(world, "edc", "viewer", "view_registry")
        for answer, code, error in [
            (own.ask(scope="view_registry export"), 400, "invalid_scope"),
            (own.ask(scope="nonsense"), 400, "invalid_scope"),
            (own.ask(grant_type="password"), 400, "unsupported_grant_type"),
            (own.ask(grant_type="authorization_code"), 400, "unsupported_grant_type"),
            (post(TOKEN, {}), 400, "invalid_request"),
            (post(TOKEN, GRANT), 401, "invalid_client"),
            (post(f"{TOKEN}?client_id={own.id}&client_secret={own.secret}", GRANT), 401, "invalid_client"),
            (post(TOKEN, "grant_type=client_credentials&grant_type=client_credentials"), 400, "invalid_request"),
        ]:
            assert (answer.status_code, answer.json()["error"]) == (code, error)
        assert not MachineToken.objects.exists()

    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            ("%00%ff=%fe", {}),
            ("\x00", {}),
            ("client_id=%00&client_secret=%00&grant_type=client_credentials", {}),
            ("grant_type=client_credentials", {"HTTP_AUTHORIZATION": "Basic //79"}),
            ("grant_type=client_credentials", {"HTTP_AUTHORIZATION": "Basic !!!"}),
            ("grant_type=client_credentials", {"HTTP_AUTHORIZATION": "Basic " + "A" * 5000}),
            ("grant_type=client_credentials", {"HTTP_AUTHORIZATION": "Bearer x"}),
            ("grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer", {}),
            *[
                (
                    "grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                    f"&client_assertion={text}",
                    {},
                )
                for text in ("x", "..", "e30.e30.e30", "W10.W10.W10", "bnVsbA.bnVsbA.bnVsbA", "eyJhbGciOjF9.eyJzdWIiOltdfQ.AA", "%00", "é")
            ],
            ("x" * 70_000, {}),
            ("a=1&" * 6000, {}),
            ("grant_type=client_credentials&scope=" + "a+" * 2000, {}),
        ],
        ids=lambda part: repr(part)[:40],
    )
    @pytest.mark.parametrize("path", [TOKEN, REVOKE])
    def test_garbage_is_refused_in_json(self, world, path, body, headers):
        answer = post(path, body, **headers)
        assert answer.status_code in (400, 401) and answer.json()["error"]

    @pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
    def test_only_forms_by_post(self, world, method):
        client = APIClient()
        assert getattr(client, method)(TOKEN).status_code == 405
        assert client.post(TOKEN, GRANT, format="json").json()["error"] == "invalid_request"

    def test_a_client_asks_only_so_often_and_locks_out_nobody_else(self, world, settings):
        settings.MOC_TOKENS_PER_MINUTE = 2
        own, other = program(world, "edc", "viewer"), program(world, "edc2", "viewer")
        codes = [own.ask(secret="wrong").status_code for _ in range(3)]
        assert codes == [401, 401, 429] or codes == [401, 401, 401]  # the minute may have ended between
        answer = [own.ask(secret="wrong") for _ in range(3)][-1]
        assert answer.status_code == 429 and answer.json()["error"] and int(answer["Retry-After"]) <= 60
        assert other.ask().status_code == 200
        assert own.ask().status_code == 200  # whoever guesses shows another header


class TestRotation:
    def test_two_secrets_at_once_and_no_third(self, world):
        own, administrator = program(world, "edc", "viewer"), world.user("edc", "administrator")
        _, second = services.add_secret(actor=administrator, client=own.client)
        assert [own.ask(secret=secret).status_code for secret in (own.secret, second)] == [200, 200]
        with pytest.raises(services.UserError) as refusal:
            services.add_secret(actor=administrator, client=own.client)
        assert refusal.value.code == "TWO_VALID"
        first = own.client.credentials.get(digest=digest_of(own.secret))
        services.revoke_credential(actor=administrator, credential=first)
        assert [own.ask(secret=secret).status_code for secret in (own.secret, second)] == [401, 200]
        services.add_secret(actor=administrator, client=own.client)
        assert own.client.credentials.usable().count() == 2

    def test_an_expired_secret_is_refused_and_makes_room(self, world):
        own = program(world, "edc", "viewer")
        token = own.token()
        services.add_secret(actor=world.user("edc", "administrator"), client=own.client)
        with acting(None, "system: tests"):
            MachineCredential.objects.filter(digest=digest_of(own.secret)).update(expires_at=timezone.now() - timedelta(seconds=1))
        assert own.ask().status_code == 401 and status(token) == 401
        services.add_secret(actor=world.user("edc", "administrator"), client=own.client)

    def test_a_revoked_key_signs_no_more(self, world):
        own = with_key(world, "edc", "viewer", "ES256")
        token = own.prove().json()["access_token"]
        services.revoke_credential(actor=world.user("edc", "administrator"), credential=own.client.credentials.get())
        assert own.prove().status_code == 401 and status(token) == 401


class TestNarrowing:
    def test_a_token_holds_what_role_and_scopes_both_give(self, world):
        own = program(world, "aggregator", "filer")
        user = tokens.user_of(own.token(scope="view_registry"))
        assert policy.reach(user, "view_registry") == {world.aggregator.pk}
        for permission in ("file_ders", "view_personal", "export"):
            assert not policy.reach(user, permission) and not policy.allows(user, permission, world.aggregator)

    def test_narrowed_in_list_page_and_write(self, world):
        (der,) = register(world, 1)
        own = program(world, "aggregator", "filer")
        seeing, filing = own.api(scope="view_registry"), own.api(scope="file_ders")
        assert len(seeing.get(DERS).json()["results"]) == 1 and seeing.get(f"{DERS}{der.uuid}/").status_code == 200
        assert seeing.get(f"{DERS}{der.uuid}/owner/").status_code == 404
        assert seeing.post("/api/v1/registry/submissions/", FILED).status_code in (403, 404)
        assert not Submission.objects.exists()
        assert filing.get(DERS).json()["results"] == [] and filing.get(f"{DERS}{der.uuid}/").status_code == 404
        assert filing.post("/api/v1/registry/submissions/", FILED).status_code == 202
        assert Submission.objects.get().created_by == own.client.user

    def test_what_is_public_or_its_own_needs_the_scope_too(self, world):
        own = program(world, "aggregator", "filer")
        job = enqueue(actor=own.client.user, task="moc.jobs.tasks.sweep", title="A job")
        for url in ("/api/v1/registry/counties/", "/api/v1/jobs/"):
            assert own.api(scope="view_registry").get(url).json()["results"]
            assert own.api(scope="file_ders").get(url).json()["results"] == []
        assert own.api(scope="file_ders").get(f"/api/v1/jobs/{job.pk}/").status_code == 404

    def test_a_client_has_only_scopes_of_its_role(self, world):
        administrator = world.user("edc", "administrator")
        for scopes in ([], ["review_ders"], ["nonsense"]):
            with pytest.raises(services.UserError) as refusal:
                services.create_client(actor=administrator, organization=world.edc, name="x", role="viewer", scopes=scopes)
            assert refusal.value.code == "SCOPE_UNKNOWN"

    def test_a_job_keeps_the_tokens_scopes(self, world):
        user = tokens.user_of(program(world, "aggregator", "filer").token(scope="file_ders"))
        job = enqueue(actor=user, task="moc.jobs.tasks.sweep", title="A job")
        actor = type(job).objects.get(pk=job.pk).actor
        assert policy.reach(actor, "file_ders") and not policy.reach(actor, "view_registry")

    def test_a_program_makes_none_that_is_stronger_than_itself(self, world):
        user = tokens.user_of(program(world, "edc", "administrator", "manage_members", "view_registry").token())
        strong = program(world, "edc", "reviewer")
        weak = services.create_client(actor=user, organization=world.edc, name="w", role="viewer", scopes=["view_registry"])
        services.add_secret(actor=user, client=weak)
        before = MachineClient.objects.count(), MachineCredential.objects.count()
        for attempt in (
            lambda: services.create_client(actor=user, organization=world.edc, name="s", role="reviewer", scopes=["review_ders"]),
            lambda: services.add_secret(actor=user, client=strong.client),
        ):
            with pytest.raises(policy.NotPermitted):
                attempt()
        assert before == (MachineClient.objects.count(), MachineCredential.objects.count())


class TestDeath:
    @pytest.mark.parametrize("ended", ["membership", "organisation", "client", "user", "secret", "token", "tokens", "expired"])
    @pytest.mark.parametrize("url", [DERS, "/api/v1/schema/", "/api/v1/registry/counties/", "/api/v1/jobs/"])
    def test_it_dies_at_once_although_the_process_knows_it(self, world, ended, url):
        own, administrator = program(world, "edc", "viewer"), world.user("edc", "administrator")
        token = own.token()
        assert status(token, url) == 200 and digest_of(token) in tokens._known
        seat = Membership.objects.get(client=own.client)
        with acting(None, "system: tests"):
            {
                "membership": lambda: Membership.objects.filter(pk=seat.pk).update(is_active=False),
                "organisation": lambda: Organization.objects.filter(pk=world.edc.pk).update(is_active=False),
                "client": lambda: services.deactivate(actor=administrator, client=own.client),
                "user": lambda: User.objects.filter(pk=seat.user_id).update(is_active=False),
                "secret": lambda: services.revoke_credential(actor=administrator, credential=own.client.credentials.get()),
                "token": lambda: own.ask(REVOKE, token=token),
                "tokens": lambda: services.revoke_tokens(actor=administrator, client=own.client),
                "expired": lambda: MachineToken.objects.update(issued_at=timezone.now() - timedelta(2), expires_at=timezone.now()),
            }[ended]()
        answer = api_with(token).get(url)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
        assert digest_of(token) not in tokens._known
        again = own.ask().status_code
        assert again == (200 if ended in ("token", "tokens", "expired") else 401)

    def test_a_client_ends_its_own_tokens_only(self, world):
        own, other = program(world, "edc", "viewer"), program(world, "edc2", "viewer")
        token = own.token()
        assert other.ask(REVOKE, token=token).status_code == 200 and status(token) == 200
        assert own.ask(REVOKE, secret="wrong", token=token).status_code == 401 and status(token) == 200
        assert own.ask(REVOKE).json()["error"] == "invalid_request"
        assert own.ask(REVOKE, token=token, token_type_hint="nonsense").json()["error"] == "unsupported_token_type"
        assert own.ask(REVOKE, token="unknown").status_code == 200
        assert own.ask(REVOKE, token=token).status_code == 200 and status(token) == 401

    def test_what_has_expired_is_removed_with_the_next(self, world):
        own = program(world, "edc", "viewer")
        own.token()
        MachineToken.objects.update(issued_at=timezone.now() - timedelta(2), expires_at=timezone.now() - timedelta(1))
        own.token()
        assert MachineToken.objects.count() == 1

    @pytest.mark.parametrize("token", ["mocm_", "mocm_nonsense", "mocm_\x00", "moc_x", "", "é"])
    def test_no_token_is_no_token(self, world, token):
        assert api_with(token).get(DERS).status_code == 401

    def test_machines_have_no_tokens_of_people(self, world):
        _, secret = ApiToken.issue(world.machine, "old")
        assert status(secret) == 401
        _, secret = ApiToken.issue(world.user("edc", "viewer"), "own")
        assert status(secret) == 200


class TestCost:
    def test_a_known_token_costs_no_query_of_its_own(self, world):
        register(world, 3)
        own = program(world, "edc", "viewer")
        known = own.api()
        known.get(DERS)
        free = unchecked(own)
        with CaptureQueriesContext(connection) as with_token:
            assert len(known.get(DERS).json()["results"]) == 3
        with free, CaptureQueriesContext(connection) as without:
            assert len(known.get(DERS).json()["results"]) == 3
        assert len(with_token) - len(without) == 0

    def test_the_last_use_is_written_once_a_minute_and_not_in_history(self, world):
        own = program(world, "edc", "viewer")
        token, versions = own.token(), own.client.history.count()
        status(token)
        own.client.refresh_from_db()
        first = own.client.last_used_at
        assert first is not None
        tokens.forget(digest_of(token))
        status(token)
        own.client.refresh_from_db()
        assert own.client.last_used_at == first
        MachineClient.objects.update(last_used_at=first - timedelta(minutes=2))
        tokens.forget(digest_of(token))
        status(token)
        own.client.refresh_from_db()
        assert own.client.last_used_at > first and own.client.history.count() == versions

    def test_the_process_keeps_only_so_many(self, world, monkeypatch):
        monkeypatch.setattr(tokens, "MOST_KEPT", 2)
        own = program(world, "edc", "viewer")
        for _ in range(4):
            status(own.token())
        assert len(tokens._known) == 2
