"""Letters by program: the portal's page prints them, scoped as there; each copy has a code that anybody checks."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action


def letter(view, summary: str, address=None):
    """An action named `letter` that answers with the PDF of a page of the portal; `address` makes the page's address of the record."""

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY}, summary=summary)
    @action(detail=True, url_path="letter", url_name="letter", filterset_class=None, pagination_class=None, keeps_versions=False)
    def letter(self, request, **kwargs):
        return view.as_view()(request._request, **(address(self.get_object()) if address else kwargs))

    return letter
