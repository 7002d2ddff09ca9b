"""Read the files of EIA-861 of any year: utilities, territories and sales, as EIA publishes them or as others compiled them.

EIA's names of columns change over the years; each of ours knows what it was called. Lines above the header and totals are passed over.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from moc.access.models import Organization
from moc.errors import UserError
from moc.history import acting
from moc.readers.shape import fold
from registry.grid.models import County, ServiceTerritory
from registry.jurisdictions.models import AnnualSales
from registry.participants import services as participants
from registry.participants.models import UtilityProfile

NAMES = {
    "eia_id": ("utility_number", "utility number", "utility_id_eia", "utility id"),
    "name": ("utility_name", "utility name", "name"),
    "nerc_region": ("nerc_region_short_name", "nerc region", "nerc_region"),
    "ba": ("ba_short_name", "ba code", "ba_code", "balancing_authority_code"),
    "county_fips": ("county_fips", "county fips"),
    "mwh": ("total_sales_mwh", "total sales mwh", "sales_mwh", "total_sales"),
    "state": ("state_name", "state"),
}
HEADER_WITHIN, ADJUSTMENT = 5, 99999


@dataclass
class Outcome:
    """What an import did; `unknown` utilities of the files are not in the registry."""

    utilities: int = 0
    territories: int = 0
    sales: int = 0
    unknown: int = 0


def rows(path: Path, *wanted: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV or XLSX file as {our name: text}. Raises UserError for a file without one of the wanted columns."""
    places: dict[str, int] = {}
    for number, cells in enumerate(_cells(path)):
        if places:
            yield {name: cells[place] if place < len(cells) else "" for name, place in places.items()}
            continue
        folded = [fold(cell) for cell in cells]
        found = {name: place for name in NAMES for place, cell in enumerate(folded) if cell in map(fold, NAMES[name])}
        if set(wanted) <= set(found):
            places = found
        elif number >= HEADER_WITHIN:
            break
    if not places:
        raise UserError(f"{path.name} has no columns for {', '.join(wanted)}.", "Give the file as EIA publishes it.", "EIA-COLUMNS")


def _cells(path: Path) -> Iterator[list[str]]:
    if path.suffix.lower() == ".xlsx":
        try:
            sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
        except CalamineError as error:
            raise UserError(f"{path.name} is not a workbook.", "Give the file as EIA publishes it.", "EIA-FILE") from error
        yield from ([_text(cell) for cell in row] for row in sheet)
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from ([cell.strip() for cell in row] for row in csv.reader(file))


def _text(cell: object) -> str:
    """A workbook's whole numbers come with a fraction of zero."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _by_utility(path: Path | None, *wanted: str) -> dict[int, list[dict[str, str]]]:
    found = defaultdict(list)
    for row in rows(path, "eia_id", *wanted) if path else ():
        if row["eia_id"].isdigit() and int(row["eia_id"]) != ADJUSTMENT:
            found[int(row["eia_id"])].append(row)
    return found


def load(*, year: int, utilities: Path | None = None, territories: Path | None = None, sales: Path | None = None) -> Outcome:
    """Bring the registry's utilities up to a year's files; nothing is removed, and a second time changes nothing.

    The profile has the figures of the latest year on record. Raises UserError for a file that is not what it should be.
    """
    about, served, sold = _by_utility(utilities), _by_utility(territories, "county_fips"), _by_utility(sales, "mwh")
    profiles = {profile.eia_id: profile for profile in UtilityProfile.objects.select_related("edc")}
    outcome = Outcome(unknown=len((set(about) | set(served) | set(sold)) - set(profiles)))
    with acting(None, f"system: import_eia861 {year}"):
        known = {eia: profile.edc for eia, profile in profiles.items()}
        outcome.utilities = _regions(profiles, about, year)
        outcome.territories = _territories(known, served)
        outcome.sales = _sales(known, sold, year)
    return outcome


def _regions(profiles: dict[int, UtilityProfile], about: dict[int, list[dict[str, str]]], year: int) -> int:
    """A region holds from the beginning of the file's year on."""
    changed = 0
    for eia, profile in profiles.items():
        region = next((row["nerc_region"] for row in about.get(eia, ()) if row.get("nerc_region")), None)
        if region is not None:
            changed += participants.change_profile(actor=None, profile=profile, starts_on=date(year, 1, 1), nerc_region=region)
    return changed


def _territories(known: dict[int, Organization], served: dict[int, list[dict[str, str]]]) -> int:
    counties = set(County.objects.values_list("fips", flat=True))
    pairs = {(edc.pk, row["county_fips"].zfill(5)) for eia, edc in known.items() for row in served.get(eia, ())}
    pairs -= set(ServiceTerritory.objects.values_list("edc_id", "county_id"))
    wanted = [ServiceTerritory(edc_id=edc, county_id=fips) for edc, fips in sorted(pairs) if fips in counties]
    return len(ServiceTerritory.objects.bulk_create(wanted))


def _sales(known: dict[int, Organization], sold: dict[int, list[dict[str, str]]], year: int) -> int:
    """One figure a utility: bundled and delivery, and the parts in several balancing areas, add up."""
    totals = {edc.pk: sum(map(_number, sold[eia]), Decimal()) for eia, edc in known.items() if eia in sold}
    standing = dict(AnnualSales.objects.filter(year=year).values_list("edc_id", "sales_mwh"))
    fresh = [
        AnnualSales(edc_id=edc, year=year, sales_mwh=mwh, source=f"EIA-861 {year}, sales to ultimate customers")
        for edc, mwh in totals.items()
        if standing.get(edc) != mwh
    ]
    AnnualSales.objects.bulk_create(fresh, update_conflicts=True, unique_fields=["edc", "year"], update_fields=["sales_mwh", "source"])
    for row in fresh:
        latest = UtilityProfile.objects.filter(edc=row.edc_id).exclude(annual_mwh_year__gt=year)
        latest.update(annual_mwh=row.sales_mwh, annual_mwh_year=year)
    return len(fresh)


def _number(row: dict[str, str]) -> Decimal:
    try:
        return Decimal(row["mwh"].replace(",", "") or 0)
    except InvalidOperation:  # EIA writes a point for what is missing
        return Decimal()
