"""python manage.py import_eia861 2018 --territories FILE --sales FILE: a year of EIA-861 for the registry's utilities."""

from pathlib import Path

from django.core.management.base import CommandError

from moc import sight
from moc.commands import PlatformCommand
from moc.errors import UserError
from registry.jurisdictions.services import eia


class Command(PlatformCommand):
    """Import utilities, territories and sales of one year; CSV or XLSX."""

    help = "Bring the registry's utilities up to a year's files of EIA-861"

    def add_arguments(self, parser) -> None:
        parser.add_argument("year", type=int)
        for name in ("utilities", "territories", "sales"):
            parser.add_argument(f"--{name}", type=Path)

    @sight.engine()
    def handle(self, *args, year: int, **options) -> None:
        given = {name: options[name] for name in ("utilities", "territories", "sales")}
        try:
            done = eia.load(year=year, **given)
        except (UserError, OSError) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"{done.utilities} utilities and {done.sales} sales changed, {done.territories} territories added; "
            f"{done.unknown} utilities of the files are not in the registry."
        )
