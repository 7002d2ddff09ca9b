"""The version of a record that a page was made from: a change that means an older one is refused, and told what changed since.

A form carries the version in a hidden field, as an API request does in If-Match; both are the same mark of the latest row of history.
"""

from datetime import datetime

from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from moc.errors import Conflict, UserError
from moc.portal.timeline import differences
from moc.sealed import mark, seal, unseal

FIELD = "opened_version"
LOOKED_THROUGH, TOLD = 200, 4
Change = tuple[str, object, object]


class Overtaken(Conflict):
    """The record changed after the user opened it. `changes` are (what, as it stands now, as the user has it)."""

    code = "OVERTAKEN"

    def __init__(self, obj: Model, changes: list[Change], was: str = "opened with"):
        self.changes = changes
        said = "; ".join(f"{label}: now {_said(now)}, {was} {_said(mine)}" for label, now, mine in changes[:TOLD])
        sentence = (
            f"This {obj._meta.verbose_name} was changed after you opened it{f' ({said})' if said else ''}. Nothing of yours was saved."
        )
        super().__init__(sentence, "Look at it as it stands, and repeat your change if you still want it.")


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "nothing"
    return "nothing" if value in (None, "") else str(value)


def version_of(obj: Model) -> str:
    """Stands for the latest version of a recorded object; empty for one that has none."""
    latest = _versions(obj).values_list("history_id", flat=True).first() if hasattr(obj, "history") else None
    return mark(latest, "version") if latest else ""


def require_version(opened: str, obj: Model) -> None:
    """Raise Overtaken unless the object, which the caller has locked, is in the version that was opened; none means whichever stands."""
    if opened and opened != version_of(obj):
        raise Overtaken(obj, _changed_since(opened, obj))


def _versions(obj: Model) -> QuerySet:
    rows = type(obj).history.model.objects.filter(**{obj._meta.pk.attname: obj.pk})
    return rows.order_by("-history_date", "-history_id")


def _changed_since(opened: str, obj: Model) -> list[Change]:
    """What changed from the opened version to the latest; nothing when the opened one is not among the latest few."""
    versions = list(_versions(obj)[:LOOKED_THROUGH])
    seen = next((version for version in versions if mark(version.pk, "version") == opened), None)
    return [(label, after, before) for label, before, after in differences(versions[0], seen)] if seen else []


class VersionMissing(UserError):
    """A change that does not say which version of the record it means might undo somebody else's."""

    code = "VERSION-MISSING"

    def __init__(self, obj: Model):
        sentence = f"Your page does not say which version of this {obj._meta.verbose_name} you saw. Nothing was changed."
        super().__init__(sentence, "Open the page again, and repeat your change.")


class Held:
    """Changes only the version of an object that the user's page was made from; `hold` locks it in the order of its slice.

    One that adds to the object and changes nothing that it showed is not `versioned`.
    """

    versioned = True

    def hold(self, obj):
        """The object as it stands, until the transaction ends."""
        return type(obj).objects.select_for_update(of=("self",)).get(pk=obj.pk)

    def require_opened(self, obj) -> None:
        """Raise Overtaken when the object has changed since, VersionMissing where the page does not say; in the change's transaction."""
        if not self.versioned or not hasattr(obj, "history"):
            return
        opened, held = self.request.POST.get(FIELD), self.hold(obj)
        if not opened:
            raise VersionMissing(obj)
        require_version(opened, held)


class HeldParts(Held):
    """Changes what stands below an object, as the user's page showed it: the form carries the parts, sealed, in place of a version."""

    def parts(self, obj) -> list[tuple[str, str]]:
        """What stands below the object, as (what, value)."""
        raise NotImplementedError

    def seen(self, obj) -> str:
        """What the form carries."""
        return seal([list(each) for each in self.parts(obj)], "parts")

    def require_opened(self, obj) -> None:
        """Raise Overtaken when the parts are others now, VersionMissing where the page does not say; in the change's transaction."""
        opened, now = self.request.POST.get(FIELD), dict(self.parts(self.hold(obj)))
        if not opened:
            raise VersionMissing(obj)
        had = dict(map(tuple, unseal(opened, "parts") or []))
        if had != now:
            both = sorted(had.keys() | now.keys())
            raise Overtaken(obj, [(what, now.get(what), had.get(what)) for what in both if now.get(what) != had.get(what)])
