"""The API's base: who calls, problems, bodies, keys, documents of its own."""

import io
import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIClient
from rest_framework.views import APIView

from moc.access.models import ApiToken
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.rest import bodies, conditions, problems
from moc.rest.docs import groups, records, schema
from tests.factories.world import REASON

LIST = "/api/v1/registry/counties/"


class TestWhoCalls:
    def test_a_token_of_an_active_user(self, world):
        token, secret = ApiToken.issue(world.user("aggregator", "filer"), "tests")
        api = APIClient(headers={"Authorization": f"Bearer {secret}"})
        assert api.get(LIST).status_code == 200
        ApiToken.objects.filter(pk=token.pk).update(revoked_at=timezone.now())
        self.refused(api)

    def test_no_token_of_a_deactivated_user(self, world):
        user = world.user("aggregator", "filer")
        _, secret = ApiToken.issue(user, "tests")
        with acting(None, REASON):
            type(user).objects.filter(pk=user.pk).update(is_active=False)
        self.refused(APIClient(headers={"Authorization": f"Bearer {secret}"}))

    @pytest.mark.parametrize("header", ["Bearer moc_wrong", "Bearer", "Basic dXNlcjpwYXNz", ""])
    def test_no_other_header(self, world, header):
        self.refused(APIClient(headers={"Authorization": header}))

    def refused(self, api: APIClient) -> None:
        answer = api.get(LIST)
        assert (answer.status_code, answer.json()["code"]) == (401, "NOT-AUTHENTICATED")
        assert answer["WWW-Authenticate"].startswith("Bearer")

    def test_a_session_reads_and_writes_with_its_csrf_token_only(self, world):
        api = APIClient(enforce_csrf_checks=True)
        api.force_login(world.user("aggregator", "filer"))
        assert api.get(LIST).status_code == 200
        refused = api.post("/api/v1/registry/submissions/", b"a,b", content_type="text/csv")
        assert (refused.status_code, refused.json()["code"]) == (403, "NOT-PERMITTED")

    def test_what_is_shown_depends_on_who_asks(self, world, api_of):
        assert {"Authorization", "Cookie"} <= set(api_of(world.machine).get(LIST)["Vary"].replace(",", " ").split())


class TestProblems:
    def described(self, error: Exception) -> dict:
        return problems.answer(error, {"request": RequestFactory().get("/api/v1/x/")}).data

    def test_a_refusal_has_code_sentence_and_remedy(self):
        problem = self.described(UserError("It is late.", "Come tomorrow.", "LATE"))
        assert (problem["status"], problem["code"], problem["detail"], problem["remedy"]) == (422, "LATE", "It is late.", "Come tomorrow.")

    @pytest.mark.parametrize(
        ("error", "status"), [(Conflict("Too late."), 409), (PermissionDenied("No."), 403), (ZeroDivisionError(), 500)]
    )
    def test_status(self, error, status):
        assert self.described(error)["status"] == status

    def test_what_nobody_foresaw_says_nothing_of_itself(self):
        assert "secret" not in json.dumps(self.described(RuntimeError("secret")))

    def test_fields_of_a_model_are_named(self):
        problem = self.described(ValidationError({"name": [ValidationError("Too long.", code="max_length")]}))
        assert problem["errors"] == [{"field": "name", "code": "MAX-LENGTH", "detail": "Too long."}]

    def test_an_address_that_is_none(self, world, api_of):
        for method in ("get", "post", "delete"):
            answer = getattr(api_of(world.machine), method)("/api/v1/nothing/here/")
            assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")

    def test_a_method_that_is_none(self, world, api_of):
        assert api_of(world.machine).delete(LIST).json()["code"] == "METHOD-NOT-ALLOWED"

    def test_a_body_that_is_no_json(self, world, api_of):
        address = "/api/v1/registry/submissions/8e03978e-40d5-43dd-bc93-6894a57f9324/transitions/withdraw/"
        assert api_of(world.machine).post(address, b"{", content_type="application/json").status_code in (400, 404)

    def test_another_representation_is_refused_in_the_api_s_own(self, world, api_of):
        answer = api_of(world.machine).get(LIST, headers={"Accept": "text/html"})
        assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")


class TestBodies:
    @pytest.mark.parametrize(
        ("head", "said", "rest"),
        [
            (b'{"title": "T", "aggregator": "a", "rows": [{}]}', {"title": "T", "aggregator": "a"}, b'{"rows": [{}]}'),
            (b'\xef\xbb\xbf {"title":"T","rows":[', {"title": "T"}, b'{"rows": ['),
            (b'{"rows": [{"a": "\xc3', {}, b'{"rows": [{"a": "\xc3'),
            (b'[{"title": "T"}]', {}, None),
            (b'{"external_id": "1"}\n{"external_id": "2"}', {}, None),
            (b'{"title": "T"}', {}, None),
            (b'{"title": "T", "rows": 1}', {}, None),
            (b"\x1f\x8b\x08", {}, None),
            (b"", {}, None),
        ],
    )
    def test_the_envelope(self, head, said, rest):
        assert bodies.envelope(head) == (said, head if rest is None else rest)

    @given(st.text(), st.binary(max_size=40))
    def test_an_envelope_loses_nothing_of_its_rows(self, title, rows):
        head = b'{"title": ' + json.dumps(title).encode() + b', "rows": [' + rows
        assert bodies.envelope(head) == ({"title": title}, b'{"rows": [' + rows)

    @given(st.binary())
    def test_any_bytes_are_taken(self, head):
        said, rest = bodies.envelope(head)
        assert said or rest == head or rest.startswith(b'{"rows": [')

    def test_a_body_without_a_length(self):
        request = RequestFactory().post("/", b"", content_type="text/csv", headers={"Transfer-Encoding": "chunked"})
        request.META["CONTENT_TYPE"] = "text/csv"
        request._stream = io.BytesIO(b"a,b\n1,2\n")
        streamed = bodies.StreamedRequest(request, parsers=[bodies.Csv()])
        upload = bodies.file_of(streamed)
        assert (upload.read(), upload.size, upload.name) == (b"a,b\n1,2\n", 8, "api.csv")

    def test_the_name_that_is_given_has_no_folder(self):
        assert bodies._given_name('attachment; filename="../../etc/spring.csv"') == "spring.csv"
        assert bodies._given_name("") == ""


class TestKeys:
    def handled(self, api_request: Request, handler):
        return conditions.idempotent(handler)(APIView(), api_request)

    def asked(self, user, key: str, body: dict | None = None) -> Request:
        request = Request(RequestFactory().post("/api/v1/x/", headers={"Idempotency-Key": key}))
        request.user, request._full_data = user, body or {}
        return request

    def test_while_the_first_is_running_the_second_is_told(self, world):
        def handler(view, request):
            with pytest.raises(Conflict) as told:
                self.handled(self.asked(world.machine, "k"), handler)
            assert told.value.code == "IDEMPOTENCY-RUNNING"
            return conditions.Response({"done": True}, status=201)

        assert self.handled(self.asked(world.machine, "k"), handler).data == {"done": True}

    def test_a_request_whose_worker_was_killed_may_be_repeated(self, world, monkeypatch):
        """N13: nobody ends what it said of itself, so that ends by itself."""
        monkeypatch.setattr(conditions, "RUNNING_SECONDS", -1)  # as if it were that much later

        def handler(view, request):
            assert self.handled(self.asked(world.machine, "k"), lambda view, request: conditions.Response(1)).data == 1
            return conditions.Response(2)

        assert self.handled(self.asked(world.machine, "k"), handler).data == 2

    def test_a_failure_is_not_kept(self, world):
        answers = [Conflict("Not now."), conditions.Response({"done": True})]

        def handler(view, request):
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        with pytest.raises(Conflict):
            self.handled(self.asked(world.machine, "k"), handler)
        assert self.handled(self.asked(world.machine, "k"), handler).data == {"done": True}

    def test_keys_are_each_user_s_own(self, world):
        def handler(view, request):
            return conditions.Response({"by": request.user.pk})

        first = self.handled(self.asked(world.machine, "k"), handler).data
        assert self.handled(self.asked(world.machine2, "k"), handler).data != first

    def test_a_key_that_is_too_long(self, world):
        with pytest.raises(UserError):
            self.handled(self.asked(world.machine, "k" * 81), None)


class TestDocuments:
    def test_the_page_shows_every_operation(self, world, client_of):
        page = client_of(world.user("aggregator", "viewer")).get("/api/v1/docs/")
        assert page.status_code == 200
        shown = page.content.decode()
        assert all(operation["id"] in shown for _, operations in groups(schema()) for operation in operations)
        assert all(name in shown for name, _, _ in records(schema()))

    def test_the_openapi_document(self, world, api_of):
        assert "/api/v1/registry/ders/" in api_of(world.machine).get("/api/v1/schema/").content.decode()
