"""A client that sends forms as a browser would: with the version of the record that their page carries in a hidden field."""

from urllib.parse import urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

from moc.portal.changes import End
from moc.portal.versions import FIELD, Held, HeldParts, version_of
from registry.submissions.models import StagedDer
from registry.submissions.views import rows


class Browser(Client):
    """Adds the version that stands to what is posted to a page that asks for one; `bare` sends what is given and nothing else."""

    def post(self, path, data=None, *args, bare: bool = False, **kwargs):
        given = data if isinstance(data, dict) else {} if data is None else None
        if not bare and given is not None and FIELD not in given and (version := version_at(path, self)):
            data = {**given, FIELD: version}
        return super().post(path, data, *args, **kwargs)


def is_versioned(path: str) -> bool:
    """Whether the page at an address changes a record that exists, and asks which version of it was seen."""
    found = _page(path)
    return found is not None and (found[0] in ROWS and "number" in found[1] or issubclass(found[0], Held) and found[0].versioned)


def version_at(path: str, client: Client) -> str:
    """The version that the page at an address carries now; empty where it carries none."""
    if not is_versioned(path):
        return ""
    view, named = _page(path)
    if issubclass(view, End | HeldParts):
        return (client.get(path).context or {}).get(FIELD, "")
    if view in ROWS:
        row = StagedDer.objects.filter(submission__uuid=named["uuid"], row_number=named["number"]).first()
        return rows.version_of(row, *([rows.step_by_slug(named["step"])] if "step" in named else [])) if row else ""
    model, value = getattr(view, "held_model", view.model), named.get("decision") or named.get(view.key)
    obj = model.objects.filter(**{view.key: value}).first()
    return version_of(obj) if obj else ""


ROWS = (rows.RowForm, rows.RemoveRow)


def _page(path: str) -> tuple[type, dict] | None:
    try:
        match = resolve(urlsplit(path).path)
    except Resolver404:
        return None
    view = getattr(match.func, "view_class", None)
    return None if view is None else (view, match.kwargs)
