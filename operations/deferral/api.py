"""API: transformer alarms, their moves, and what deferring is worth."""

from dataclasses import asdict

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.rest.resources import Moves, Versioned
from moc.rest.serializers import Finite, Flat, Reason, slug_of
from operations.deferral import reports, services
from operations.deferral.filters import AlarmFilterSet
from operations.deferral.models import TransformerAlarm


class TransformerAlarmSerializer(Flat):
    """A transformer that is forecast above its rating, by the P90 of load where its forecasts' errors are known, else the likeliest."""

    id = serializers.UUIDField(source="uuid")
    edc = slug_of("edc", "the utility's slug")
    feeder = serializers.CharField(source="feeder.code")
    transformer = serializers.CharField(source="transformer.code")
    run = serializers.UUIDField(source="run.uuid", allow_null=True, help_text="envelopes with the curtailment")

    class Meta:
        model = TransformerAlarm
        fields = "id edc feeder transformer day status rated_kva peak_kw over_kwh starts_at ends_at covered_kw run raised_at".split()


class BenefitInputsSerializer(serializers.Serializer):
    """What the benefit is computed from."""

    cost_usd = Finite(min_value=0, max_value=1e9, default=reports.Inputs.cost_usd)
    growth_percent = Finite(min_value=0, max_value=100, default=reports.Inputs.growth_percent)
    discount_percent = Finite(min_value=0, max_value=100, default=reports.Inputs.discount_percent)


class BenefitFormulaSerializer(serializers.Serializer):
    """How a figure is computed."""

    name = serializers.CharField()
    formula = serializers.CharField()
    remark = serializers.CharField()


class BenefitSerializer(serializers.Serializer):
    """What deferring the replacement would be worth."""

    years = serializers.FloatField()
    shifted_kwh = serializers.FloatField()
    avoided_usd = serializers.FloatField()
    curtailable_kw = serializers.FloatField(help_text="charging that can be curtailed")
    covered_kw = serializers.FloatField(help_text="what of it can be taken off the day's peak")
    done_kw = serializers.FloatField(help_text="what of that is taken off by envelopes in force")
    inputs = BenefitInputsSerializer()
    formulas = BenefitFormulaSerializer(many=True)


class TransformerAlarms(Versioned, Moves):
    """Transformer alarms within reach. A utility curtails charging behind one, or deactivates it with a reason."""

    model = TransformerAlarm
    serializer_class = TransformerAlarmSerializer
    filterset_class = AlarmFilterSet
    moves = {"evaluate": Reason, "deactivate": Reason}

    def perform(self, actor, obj: TransformerAlarm, name: str, **said) -> None:
        services.MOVES[name](actor=actor, alarm=obj, **said)

    @extend_schema(
        parameters=[OpenApiParameter(name, float, default=getattr(reports.Inputs, name)) for name in reports.Inputs.__dataclass_fields__],
        responses=BenefitSerializer,
        summary="What deferring the replacement is worth, with formulas and inputs",
        filters=False,
    )
    @action(detail=True, pagination_class=None, filterset_class=None)
    def benefit(self, request, **kwargs) -> Response:
        given = BenefitInputsSerializer(
            data={name: request.query_params[name] for name in BenefitInputsSerializer().fields if name in request.query_params}
        )
        given.is_valid(raise_exception=True)
        found = reports.benefit(self.get_object(), reports.Inputs(**given.validated_data))
        formulas = [dict(zip(("name", "formula", "remark"), each, strict=True)) for each in reports.FORMULAS]
        return Response(asdict(found) | {"inputs": given.validated_data, "formulas": formulas})
