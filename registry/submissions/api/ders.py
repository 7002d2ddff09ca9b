"""API of DERs with what reaches into filings: erasing a customer."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from moc.access import presence
from moc.rest.serializers import example
from registry.ders.api import Ders
from registry.submissions.services import erasing


@example({"reason": "The customer's request of 1 June"})
class Erasure(serializers.Serializer):
    """Why the customer is erased; kept with the act."""

    reason = serializers.CharField(max_length=300, help_text="the customer's request, or the order")


class FiledDers(Ders):
    """DERs within your reach. Personal columns are not part of the record; `owner/` has them, for those who may see them."""

    @extend_schema(
        request=Erasure, responses={204: None}, summary="Erase the customer for good: registered, filed, in history and in files"
    )
    @action(detail=True, methods=["post"], url_path="owner/erase", url_name="owner-erase", keeps_versions=False)
    def erase(self, request, **kwargs) -> Response:
        presence.demand(request)
        body = Erasure(data=request.data)
        body.is_valid(raise_exception=True)
        erasing.erase_owner(actor=request.user, owner=self._owner(), reason=body.validated_data["reason"])
        return Response(status=204)
