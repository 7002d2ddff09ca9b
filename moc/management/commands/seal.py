"""Seal every version and every append-only record that was written since the last seal."""

from moc.commands import PlatformCommand
from moc.seals import services


class Command(PlatformCommand):
    """manage.py seal"""

    help = __doc__

    def handle(self, *args, **options):
        made = services.seal()
        self.stdout.write(f"Seal {made.number}: {made.row_count:,} rows." if made else "Nothing new to seal.")
