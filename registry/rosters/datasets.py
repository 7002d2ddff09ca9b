"""What matching of registry and rosters found, to build reports on."""

from moc.reports.datasets import dataset
from registry.rosters.models import RosterFinding

dataset(
    "roster-findings",
    "Differences between registry and rosters",
    RosterFinding,
    ("der__external_id", "DER"),
    ("edc__name", "Utility"),
    "program",
    "code",
    "found_at",
    about="DERs on whose retail programme the registry and the utility's roster differ.",
)
