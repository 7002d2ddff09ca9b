"""API: the machine clients of organisations whose members one administers. A secret is in the answer that makes it, and nowhere else."""

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.access import policy
from moc.access.machines import MachineClient, MachineCredential
from moc.access.models import Membership, Organization
from moc.access.roles import PERMISSIONS
from moc.machines import services
from moc.rest.conditions import idempotent
from moc.rest.resources import Resource
from moc.rest.serializers import Flat, slug_of


class MachineClientSerializer(Flat):
    """A program of an organisation: its `uuid` is the client id."""

    organization = slug_of("membership.organization")
    role = serializers.ChoiceField(source="membership.role", choices=Membership.Role.choices)
    active = serializers.BooleanField(source="membership.user.is_active")
    scopes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = MachineClient
        fields = "uuid name organization role scopes active created_at last_used_at".split()


class CredentialSerializer(Flat):
    """A secret or a public key of a client; of a secret only its last characters."""

    key = serializers.JSONField(allow_null=True, help_text="the public key as JWK")

    class Meta:
        model = MachineCredential
        fields = "uuid kind hint key algorithm created_at expires_at revoked_at last_used_at".split()


class NewClient(serializers.Serializer):
    """A new client. Without a public key the answer holds its first secret."""

    organization = serializers.SlugField(help_text="the organisation's slug")
    name = serializers.CharField(max_length=80)
    role = serializers.ChoiceField(choices=Membership.Role.choices)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(PERMISSIONS.items())), min_length=1)
    public_key = serializers.CharField(required=False, default="", allow_blank=True, max_length=20_000, help_text="JWK Set, JWK or PEM")


class NewKey(serializers.Serializer):
    """A public key as JWK Set, JWK or PEM."""

    public_key = serializers.CharField(max_length=20_000)


class Made(serializers.Serializer):
    """What was made, and its secret, this once; empty for a client with a key."""

    client_id = serializers.UUIDField()
    secret = serializers.CharField(allow_blank=True)


class MachineClients(Resource):
    """Machine clients, newest first. When each was last used is not recorded, so they are shown as they are."""

    model = MachineClient
    keeps_versions = False
    permission = services.PERMISSION
    serializer_class = MachineClientSerializer

    @extend_schema(request=NewClient, responses={201: Made}, summary="Make a client; its secret is shown this once")
    def create(self, request, **kwargs) -> Response:
        body = NewClient(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        rows = Organization.objects.visible_to(request.user, self.permission)
        organization = get_object_or_404(rows, slug=said.pop("organization"))
        client, secret = services.create_with(actor=request.user, organization=organization, **said)
        return Response({"client_id": client.uuid, "secret": secret}, status=201)

    @extend_schema(responses=CredentialSerializer(many=True), summary="The client's secrets and keys")
    @action(detail=True, serializer_class=CredentialSerializer, model=MachineCredential)
    def credentials(self, request, **kwargs) -> Response:
        rows = MachineCredential.objects.filter(client=self.get_object())
        branches = policy.branches(MachineCredential, request.user, self.permission)
        return self.paginator.page(self.filter_queryset(rows), self, branches=branches)

    @extend_schema(request=None, responses={201: Made}, summary="Make a secret; it is shown this once")
    @action(detail=True, methods=["post"])
    def secrets(self, request, **kwargs) -> Response:
        client = self.get_object()
        _, secret = services.add_secret(actor=request.user, client=client)
        return Response({"client_id": client.uuid, "secret": secret}, status=201)

    @extend_schema(request=NewKey, responses=MachineClientSerializer, summary="Add public keys")
    @action(detail=True, methods=["post"])
    @idempotent
    def keys(self, request, **kwargs) -> Response:
        body = NewKey(data=request.data)
        body.is_valid(raise_exception=True)
        client = self.get_object()
        services.add_keys(actor=request.user, client=client, text=body.validated_data["public_key"])
        return self.answer(client)

    @extend_schema(request=None, responses=MachineClientSerializer, summary="Revoke a secret or a key, and the tokens that it got")
    @action(detail=True, methods=["post"], url_path="credentials/<uuid:credential>/revoke", url_name="revoke")
    @idempotent
    def revoke(self, request, credential, **kwargs) -> Response:
        client = self.get_object()
        services.revoke_credential(actor=request.user, credential=get_object_or_404(client.credentials, uuid=credential))
        return self.answer(client)

    @extend_schema(request=None, responses=MachineClientSerializer, summary="End the client for good")
    @action(detail=True, methods=["post"])
    @idempotent
    def end(self, request, **kwargs) -> Response:
        client = self.get_object()
        services.deactivate(actor=request.user, client=client)
        return self.answer(client)
