"""EIA-861 of any year brings the registry's utilities up to date: R6."""

from pathlib import Path

import pytest
import xlsxwriter
from django.core.management import CommandError, call_command

from moc.history import acting
from registry.grid.models import County, ServiceTerritory
from registry.jurisdictions.models import AnnualSales
from registry.jurisdictions.services import eia
from registry.participants.models import UtilityProfile
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / f"{name}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def files(world, tmp_path) -> dict[str, Path]:
    """As compiled by others, with a utility that is not in the registry and one that sells in two balancing areas."""
    known = world.edc.utility.eia_id
    with acting(None, REASON):
        County.objects.create(fips="34099", name="Newly served", state="NJ")
    return {
        "utilities": write(tmp_path, "utilities", "Utility_Number,Utility_Name,NERC_Region_Short_Name", f"{known},A,RFC", "1,B,SERC"),
        "territories": write(
            tmp_path, "territories", "Utility_Number,County_FIPS", f"{known},34099", f"{known},99999", "1,34099", "99999,34099"
        ),
        "sales": write(tmp_path, "sales", "Utility_Number,Total_Sales_MWh", f'{known},"1,000"', f"{known},500", f"{known},.", "1,7"),
    }


def test_a_year_is_imported_once(world, files):
    done = eia.load(year=2018, **files)
    assert (done.utilities, done.territories, done.sales, done.unknown) == (1, 1, 1, 1)
    assert AnnualSales.objects.get(edc=world.edc, year=2018).sales_mwh == 1500
    assert ServiceTerritory.objects.filter(edc=world.edc, county_id="34099").exists()
    again = eia.load(year=2018, **files)
    assert (again.utilities, again.territories, again.sales) == (0, 0, 0)


def test_the_profile_has_the_latest_year_whatever_is_imported_later(world, files, tmp_path):
    known = world.edc.utility.eia_id
    eia.load(year=2020, sales=write(tmp_path, "later", "Utility_Number,Total_Sales_MWh", f"{known},9"))
    eia.load(year=2018, **files)
    profile = UtilityProfile.objects.get(edc=world.edc)
    assert (profile.annual_mwh, profile.annual_mwh_year, AnnualSales.objects.filter(edc=world.edc).count()) == (9, 2020, 2)


def test_a_workbook_as_eia_publishes_it_has_lines_above_its_header(world, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "Sales_Ult_Cust_2021.xlsx") as book:
        sheet = book.add_worksheet()
        lines = (
            ("Form EIA-861",),
            ("", "", "TOTAL"),
            ("Utility Number", "Utility Name", "Total Sales MWh"),
            (world.edc.utility.eia_id, "A", 12),
        )
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line)
    call_command("import_eia861", "2021", sales=tmp_path / "Sales_Ult_Cust_2021.xlsx")
    assert AnnualSales.objects.get(edc=world.edc).sales_mwh == 12


def test_another_file_is_refused_and_nothing_is_changed(world, tmp_path):
    wrong = write(tmp_path, "wrong", "a,b", "1,2")
    with pytest.raises(CommandError, match="has no columns for eia_id, mwh"):
        call_command("import_eia861", "2021", sales=wrong)
    assert not AnnualSales.objects.exists()
