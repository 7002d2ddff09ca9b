"""The workplace's way to what the platform says of its data."""

from moc.admin import Line, panel
from moc.help.governance import datasets
from moc.portal.shell import url_of


@panel("Data governance", order=60)
def classes(user) -> list[Line]:
    """The classes of data; each leads to its datasets with owner, custodian, ground and readers."""
    page = url_of("help_governance")
    return [Line(each.label, f"{page}#{each}", f"{len(found)} datasets") for each, found in datasets() if found]
