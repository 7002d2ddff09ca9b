"""Hash all sealed history again and name what was altered, removed or inserted; ends with 1 when something was."""

from pathlib import Path

from django.core.management.base import CommandError

from moc.commands import PlatformCommand
from moc.seals import services


class Command(PlatformCommand):
    """manage.py verify [--kept seals.ndjson]"""

    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("--kept", type=Path, help="a file of published seals that was stored elsewhere: they must stand unchanged")

    def handle(self, *args, **options):
        kept = options["kept"].read_text().splitlines() if options["kept"] else None
        made, found = services.run_verification(kept=kept)
        for each in found:
            self.stdout.write(" ".join([each.sentence, *(["Fields: " + ", ".join(each.fields) + "."] if each.fields else [])]))
        last = made.last_seal
        self.stdout.write(f"{found.rows:,} rows under {last.number if last else 0} seals were read.")
        self.stdout.write(f"Not sealed yet: {found.unsealed:,} rows, written since {last.sealed_at if last else 'the beginning'}.")
        if found:
            raise CommandError(f"{len(found):,} findings: sealed history is not as it was sealed.")
        self.stdout.write("Everything is as it was sealed." if last else "There are no seals: nothing is proven.")
