"""API: grants of support and what was done under them."""

from datetime import timedelta

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization, User
from moc.access.support import SupportAct, SupportGrant
from moc.portal.paging import Sort
from moc.rest.conditions import idempotent
from moc.rest.resources import Resource
from moc.rest.serializers import Flat, slug_of
from moc.support import services


class SupportGrantSerializer(Flat):
    """An organisation's word that the operator's staff may see its records (view) or act for it (act) until a moment."""

    organization = slug_of("organization")
    operator = slug_of("operator")
    staff = serializers.EmailField(source="staff.email", allow_null=True, help_text="null: all staff of the operator")
    granted_by = serializers.CharField(source="granted_by.name")

    class Meta:
        model = SupportGrant
        fields = "uuid organization operator staff scope reason granted_by granted_at until revoked_at".split()


class NewGrant(serializers.Serializer):
    """Whom to let in, to do what, for how long and why."""

    organization = serializers.SlugField(help_text="the organisation's slug")
    operator = serializers.SlugField(help_text="the operator's slug")
    staff = serializers.EmailField(required=False, allow_null=True, default=None, help_text="only this member of its staff")
    scope = serializers.ChoiceField(choices=SupportGrant.Scope.choices, default="view")
    days = serializers.IntegerField(min_value=1, max_value=31, default=1)
    reason = serializers.CharField(max_length=200)


class SupportActSerializer(Flat):
    """Something that staff did under a grant."""

    by = serializers.CharField(source="user.name")

    class Meta:
        model = SupportAct
        fields = ["at", "by", "reason"]


class SupportGrants(Resource):
    """Grants of support of your organisations, newest first."""

    model = SupportGrant
    serializer_class = SupportGrantSerializer

    @extend_schema(request=NewGrant, responses={201: SupportGrantSerializer}, summary="Let support in")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        body = NewGrant(data=request.data)
        body.is_valid(raise_exception=True)
        said = dict(body.validated_data)
        organization = Organization.objects.visible_to(request.user, services.PERMISSION).filter(slug=said.pop("organization")).first()
        operator = services.operators().filter(slug=said.pop("operator")).first()
        if organization is None or operator is None:
            raise Http404
        until = timezone.now() + timedelta(days=said.pop("days"))
        staff = _staff(operator, said.pop("staff"))
        grant = services.grant(actor=request.user, organization=organization, operator=operator, until=until, staff=staff, **said)
        return self.answer(grant, status=201)

    @extend_schema(request=None, responses=SupportGrantSerializer, summary="End a grant now")
    @action(detail=True, methods=["post"])
    @idempotent
    def revoke(self, request, **kwargs) -> Response:
        grant = self.get_object()
        services.revoke(actor=request.user, grant=grant)
        return self.answer(grant)

    @extend_schema(responses=SupportActSerializer(many=True), summary="What was done under a grant")
    @action(detail=True, serializer_class=SupportActSerializer, sorts=(Sort("-at", ("-id",)),), model=SupportAct)
    def acts(self, request, **kwargs) -> Response:
        rows = SupportAct.objects.filter(grant=self.get_object())
        return self.paginator.page(self.filter_queryset(rows), self, branches=policy.branches(SupportAct, request.user, self.permission))


def _staff(operator: Organization, email: str | None) -> User | None:
    """The person of that address among the operator's staff."""
    if email is None:
        return None
    found = User.objects.filter(email__iexact=email, memberships__organization=operator, memberships__is_active=True).first()
    if found is None:
        raise ValidationError({"staff": ["Nobody of that address works for the operator."]})
    return found
