"""Machine clients in portal and API (N2): self-service by those who administer the organisation, secrets shown once."""

import json
import re

import pytest
from django.db import IntegrityError, transaction
from joserfc.jwk import ECKey, OctKey, RSAKey

from moc.access.machines import MachineClient, MachineCredential, MachineToken, digest_of
from moc.access.models import Membership, User
from moc.errors import UserError
from moc.history import acting
from moc.machines import keys, services
from tests.factories.machines import GRANT, TOKEN, post, program, with_key

pytestmark = pytest.mark.django_db
NEW = {"name": "Billing", "role": "viewer", "scopes": ["view_registry"]}


def pem(key) -> str:
    return key.as_pem(private=False).decode()


class TestPages:
    def test_from_the_account_to_a_token(self, world, client_of):
        client = client_of(world.user("edc", "administrator"))
        assert b"Machine clients" in client.get("/accounts/profile/").content
        assert client.get("/machines/").url == "/machines/edc/"
        page = client.post("/machines/edc/new/", NEW)
        made = MachineClient.objects.get(name="Billing")
        secret = re.search(r'id="secret"[^>]*value="([^"]+)"', page.content.decode())[1]
        assert "no-store" in page["Cache-Control"] and str(made.uuid) in page.content.decode()
        assert post(TOKEN, GRANT | {"client_id": str(made.uuid), "client_secret": secret}).status_code == 200
        for url in ("/machines/edc/", f"/machines/edc/{made.uuid}/"):
            shown = client.get(url).content.decode()
            assert "Billing" in shown and secret not in shown
        assert made.history.get().history_user == world.user("edc", "administrator")
        assert (made.user.kind, made.membership.role, made.user.has_usable_password()) == ("machine", "viewer", False)

    def test_rotate_revoke_and_end(self, world, client_of):
        client, own = client_of(world.user("edc", "administrator")), program(world, "edc", "viewer")
        base = f"/machines/edc/{own.id}/"
        second = re.search(r'id="secret"[^>]*value="([^"]+)"', client.post(f"{base}secrets/new/").content.decode())[1]
        refused = client.post(f"{base}secrets/new/", follow=True).content.decode()
        assert "two valid secrets already" in refused
        first = own.client.credentials.get(digest=digest_of(own.secret))
        client.post(f"{base}credentials/{first.uuid}/revoke/")
        assert [own.ask(secret=secret).status_code for secret in (own.secret, second)] == [401, 200]
        assert client.post(f"{base}tokens/revoke/").status_code == 302 and not MachineToken.objects.filter(revoked_at=None).exists()
        assert client.post(f"{base}keys/new/", {"public_key": pem(ECKey.generate_key("P-256"))}).status_code == 302
        assert client.post(f"{base}end/", {"reason": "replaced"}).status_code == 302
        assert own.ask(secret=second).status_code == 401
        assert own.client.user.history.first().history_change_reason == "replaced"
        assert "This client has ended" in client.post(f"{base}secrets/new/", follow=True).content.decode()

    def test_a_private_key_is_refused_and_not_kept(self, world, client_of):
        client = client_of(world.user("edc", "administrator"))
        private = ECKey.generate_key("P-256").as_pem(private=True).decode()
        page = client.post("/machines/edc/new/", NEW | {"public_key": private})
        assert page.status_code == 422 and b"private key" in page.content
        assert not MachineClient.objects.filter(name="Billing").exists()

    def test_the_help_tells_how(self, world, client_of):
        page = client_of(world.user("edc", "viewer")).get("/help/machines/").content.decode()
        assert "curl" in page and "/oauth/token/" in page and "review_ders" in page


class TestApi:
    def test_from_a_client_to_its_end(self, world, api_of):
        api, base = api_of(world.user("edc", "administrator")), "/api/v1/machine-clients/"
        made = api.post(base, NEW | {"organization": "edc"}).json()
        assert post(TOKEN, GRANT | {"client_id": made["client_id"], "client_secret": made["secret"]}).status_code == 200
        one = f"{base}{made['client_id']}/"
        assert (api.get(one).json()["role"], api.get(one).json()["active"]) == ("viewer", True)
        second = api.post(f"{one}secrets/").json()["secret"]
        assert api.post(f"{one}secrets/").json()["code"] == "TWO_VALID"
        listed = api.get(f"{one}credentials/").json()["results"]
        assert len(listed) == 2 and second not in json.dumps(listed) and digest_of(second) not in json.dumps(listed)
        assert api.post(f"{one}credentials/{listed[0]['uuid']}/revoke/").status_code == 200
        assert api.post(f"{one}keys/", {"public_key": pem(RSAKey.generate_key(2048))}).status_code == 200
        assert api.post(f"{one}end/").json()["active"] is False
        assert post(TOKEN, GRANT | {"client_id": made["client_id"], "client_secret": made["secret"]}).status_code == 401

    def test_others_find_nothing(self, world, api_of):
        own = program(world, "edc", "viewer")
        for user in (
            world.user("edc2", "administrator"),
            world.user("edc", "approver"),
            world.user("operator", "administrator"),
            world.nobody,
        ):
            api = api_of(user)
            assert api.get(f"/api/v1/machine-clients/{own.id}/").status_code == 404
            assert api.post(f"/api/v1/machine-clients/{own.id}/end/").status_code == 404
            assert api.post("/api/v1/machine-clients/", NEW | {"organization": "edc"}).status_code == 404
        assert own.ask().status_code == 200

    def test_a_program_with_the_scope_rotates_its_own_secret(self, world):
        own = program(world, "edc", "administrator", "manage_members")
        second = own.api().post(f"/api/v1/machine-clients/{own.id}/secrets/").json()["secret"]
        assert own.ask(secret=second).status_code == 200


class TestKeys:
    def test_a_set_of_two(self, world):
        own = program(world, "edc", "viewer")
        text = json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=False), RSAKey.generate_key(2048).as_dict(private=False)]})
        administrator = world.user("edc", "administrator")
        added = services.add_keys(actor=administrator, client=own.client, text=text)
        assert [key.algorithm for key in added] == ["ES256", "RS256"]
        for again, code in ((text, "KEY_KNOWN"), (pem(ECKey.generate_key("P-256")), "TWO_VALID")):
            with pytest.raises(UserError) as refusal:
                services.add_keys(actor=administrator, client=own.client, text=again)
            assert refusal.value.code == code

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("", "KEY_UNREADABLE"),
            ("nonsense", "KEY_UNREADABLE"),
            ("{}", "KEY_UNREADABLE"),
            ('{"keys": []}', "KEY_UNREADABLE"),
            ('{"keys": 1}', "KEY_UNREADABLE"),
            ('{"keys": [1]}', "KEY_UNREADABLE"),
            ('{"kty": "EC"}', "KEY_UNREADABLE"),
            ('{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}', "KEY_UNREADABLE"),
            ("{" * 9000, "KEY_UNREADABLE"),
            ("x" * 30_000, "KEY_UNREADABLE"),
            pytest.param(json.dumps(OctKey.generate_key(256).as_dict(private=True)), "KEY_PRIVATE", id="shared secret"),
            pytest.param(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)), "KEY_PRIVATE", id="private key"),
            pytest.param(pem(ECKey.generate_key("P-384")), "KEY_KIND", id="P-384"),
            pytest.param(pem(RSAKey.generate_key(1024, auto_kid=False)), "KEY_KIND", id="short RSA"),
        ],
        ids=lambda part: part[:30],
    )
    def test_what_is_no_public_key_of_these_kinds(self, text, code):
        with pytest.raises(UserError) as refusal:
            keys.read(text)
        assert refusal.value.code == code


class TestDatabase:
    def test_a_machine_has_exactly_one_membership(self, world):
        own = program(world, "edc", "viewer")
        with acting(None, "system: tests"):
            for organization, role in ((world.edc, "reviewer"), (world.edc2, "viewer")):
                with pytest.raises(IntegrityError, match="one membership"), transaction.atomic():
                    Membership.objects.create(user=own.client.user, organization=organization, role=role)
            with pytest.raises(IntegrityError, match="one membership"), transaction.atomic():
                Membership.objects.filter(user=world.user("edc", "viewer")).update(user=own.client.user)
            Membership.objects.create(user=world.user("edc", "viewer"), organization=world.edc2, role="viewer")

    def test_nobody_becomes_a_machine_or_a_person(self, world):
        with acting(None, "system: tests"):
            for user, kind in ((world.machine, "person"), (world.nobody, "machine")):
                with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
                    User.objects.filter(pk=user.pk).update(kind=kind)

    @pytest.mark.parametrize(
        ("facts", "name"),
        [
            ({"slot": 1}, "machinecredential_two_valid"),
            ({"slot": 3}, "machinecredential_slot"),
            ({"slot": 2, "digest": ""}, "machinecredential_secret_or_key"),
            ({"slot": 2, "kind": "key", "digest": "", "key": {}, "algorithm": "HS256"}, "machinecredential_secret_or_key"),
        ],
    )
    def test_two_valid_credentials_of_a_kind_and_nothing_else(self, world, facts, name):
        own = program(world, "edc", "viewer")
        first = own.client.credentials.get()
        given = {"client": own.client, "kind": "secret", "digest": "x", "hint": "x", "expires_at": first.expires_at} | facts
        with acting(None, "system: tests"), pytest.raises(IntegrityError, match=name), transaction.atomic():
            MachineCredential.objects.create(**given)

    def test_digests_are_in_no_history(self, world):
        own = program(world, "edc", "viewer")
        assert "digest" not in {field.name for field in own.client.credentials.get().history.model._meta.fields}
        assert with_key(world, "edc", "viewer", "ES256").client.credentials.get().history.get().algorithm == "ES256"
