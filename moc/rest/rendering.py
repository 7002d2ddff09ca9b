"""JSON with numbers for quantities (at most 14 digits: exact as IEEE doubles), and moments in UTC."""

from decimal import Decimal

from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder


class Encoder(JSONEncoder):
    """Quantities are numbers."""

    def default(self, obj):
        if isinstance(obj, Decimal):
            return float(obj)
        return super().default(obj)


class Json(JSONRenderer):
    """The API's only representation."""

    encoder_class = Encoder
