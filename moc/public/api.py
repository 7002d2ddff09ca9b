"""API: the published figures."""

from moc.public.models import PublishedCell
from moc.rest.resources import Resource
from moc.rest.serializers import Flat


class PublishedFigureSerializer(Flat):
    """A figure of a public table; customers and kW are null where it is hidden."""

    class Meta:
        model = PublishedCell
        fields = ["id", "cube", "row", "column", "customers", "nameplate_ac_kw", "read_at"]


class PublishedFigures(Resource):
    """The figures of public tables."""

    model = PublishedCell
    serializer_class = PublishedFigureSerializer
    lookup_field, lookup_value_converter = "pk", "int"
