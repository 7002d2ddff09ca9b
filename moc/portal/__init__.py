"""Base of every page: views are declarations, lists start from the user's scope. The shell's context comes from here."""

from moc.portal.changes import Create, End, Transition, Update
from moc.portal.filters import ScopedFilterSet
from moc.portal.paging import Sort
from moc.portal.queues import Work, queue
from moc.portal.shell import navigation
from moc.portal.tables import Column, Table
from moc.portal.views import Detail, List, Page

__all__ = [
    "Column",
    "Create",
    "Detail",
    "End",
    "List",
    "Page",
    "ScopedFilterSet",
    "Sort",
    "Table",
    "Transition",
    "Update",
    "Work",
    "navigation",
    "queue",
]
