"""The workplace in Django's admin: what every record gets there, once (scope, scale, history, as-of, exports, who can reach it)."""

from moc.admin import front as _front  # noqa: F401
from moc.admin.records import RecordAdmin, ReferenceAdmin
from moc.admin.site import Line, panel

__all__ = ["Line", "RecordAdmin", "ReferenceAdmin", "panel"]
