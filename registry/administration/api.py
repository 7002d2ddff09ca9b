"""API: utilities' own review rules, read by whoever files, set and ended by the utility's administrators."""

import django_filters
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from moc.access import policy
from moc.access.models import Organization
from moc.portal.filters import ScopedFilterSet
from moc.rest.conditions import idempotent
from moc.rest.resources import Versioned
from moc.rest.schema import MATCHED
from moc.rest.serializers import Flat, example, slug_of
from registry.administration.services import rules
from registry.ders.choices import technologies
from registry.utilities.models import ReviewRule

MADE_OF = ("field", "kind", "number", "codes", "technologies", "from_kw", "severity", "remedy")


class ReviewRuleSerializer(Flat):
    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")
    valid_from = serializers.DateField(source="valid_during.startswith", allow_null=True)
    valid_until = serializers.DateField(
        source="valid_during.endswith", allow_null=True, help_text="the first day on which it is not in force"
    )

    class Meta:
        model = ReviewRule
        fields = ["id", "edc", *MADE_OF, "valid_from", "valid_until"]


@example({"field": "serial_no", "kind": "required", "remedy": "Read it from the device.", "valid_from": "2027-06-01"})
class ReviewRuleBody(serializers.Serializer):
    """What a utility asks of filings, and on which days, beside its other rules or in the place of one."""

    edc = serializers.SlugField(required=False, default="", help_text="the utility's slug; needed by those who administer several")
    field = serializers.CharField(max_length=60, help_text="a column of a filing")
    kind = serializers.ChoiceField(choices=ReviewRule.Kind.choices)
    number = serializers.DecimalField(14, 3, required=False, allow_null=True, min_value=0, help_text="for a limit, in the column's unit")
    codes = serializers.ListField(child=serializers.CharField(max_length=30), required=False, help_text="for a demand of codes")
    technologies = serializers.ListField(child=serializers.CharField(max_length=30), required=False, help_text="only for these")
    from_kw = serializers.DecimalField(14, 3, required=False, allow_null=True, min_value=0, help_text="only from this nameplate AC on")
    severity = serializers.ChoiceField(choices=ReviewRule.Severity.choices, required=False)
    remedy = serializers.CharField(max_length=300, help_text="what the aggregator shall do")
    valid_from = serializers.DateField(help_text="today or later")
    valid_until = serializers.DateField(required=False, allow_null=True, default=None, help_text="the first day without it; left out: none")
    replaces = serializers.UUIDField(required=False, allow_null=True, default=None, help_text="the rule that ends when this one begins")

    def validate_technologies(self, codes: list[str]) -> list[str]:
        """Codes that are known, the law's further ones too."""
        if unknown := sorted(set(codes) - set(dict(technologies()))):
            raise serializers.ValidationError(f"There is no technology {unknown[0]}.")
        return codes

    def rule(self, user) -> ReviewRule:
        """The rule, not saved, of the utility that the user administers."""
        given, slug = self.validated_data, self.validated_data["edc"]
        mine = Organization.objects.filter(pk__in=policy.reach(user, rules.PERMISSION), kind=Organization.Kind.EDC, is_active=True)
        found = list(mine.filter(slug=slug) if slug else mine[:2])
        if len(found) != 1:
            raise ValidationError({"edc": ["Name one of your utilities by its slug."]})
        return ReviewRule(edc=found[0], **{name: given[name] for name in MADE_OF if name in given})


@example({"on": "2027-06-01"})
class RuleEnd(serializers.Serializer):
    """The first day without it: today or later."""

    on = serializers.DateField()


class ReviewRuleFilterSet(ScopedFilterSet):
    """Rules by utility's slug, and those in force on a day."""

    edc = django_filters.CharFilter(field_name="edc__slug", label="Utility", help_text="the utility's slug")
    on = django_filters.DateFilter(field_name="valid_during", lookup_expr="contains", label="In force on")


class ReviewRules(Versioned):
    """Utilities' own review rules: what filings must fulfil beyond the registry's rules."""

    model = ReviewRule
    serializer_class = ReviewRuleSerializer
    filterset_class = ReviewRuleFilterSet

    @extend_schema(request=ReviewRuleBody, responses={201: ReviewRuleSerializer}, summary="Set a rule, or replace one, from a day on")
    @idempotent
    def create(self, request, **kwargs) -> Response:
        policy.require(request.user, rules.PERMISSION)
        body = ReviewRuleBody(data=request.data)
        body.is_valid(raise_exception=True)
        rule, given = body.rule(request.user), body.validated_data
        replaced = ReviewRule.objects.filter(edc=rule.edc, uuid=given["replaces"]).first() if given["replaces"] else None
        if given["replaces"] and replaced is None:
            raise ValidationError({"replaces": ["The utility has no such rule."]})
        days = {"starts_on": given["valid_from"], "ends_on": given["valid_until"]}
        return self.answer(rules.set_rule(actor=request.user, rule=rule, replaces=replaced, **days), status=201)

    @extend_schema(
        request=RuleEnd,
        responses=ReviewRuleSerializer,
        parameters=[MATCHED],
        summary="End a rule on a day",
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    @idempotent
    def end(self, request, **kwargs) -> Response:
        rule = self.get_object()
        policy.require(request.user, rules.PERMISSION, rule.edc)
        body = RuleEnd(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            rules.end_rule(actor=request.user, rule=self.require_match(rule), **body.validated_data)
        return self.answer(self.get_object())
