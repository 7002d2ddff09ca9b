"""Move what is no longer kept online into signed files; or verify one of them and write its rows to standard output."""

from django.core.management.base import CommandError

from moc.commands import PlatformCommand
from moc.seals import archives, archiving
from moc.seals.models import Archive


class Command(PlatformCommand):
    """manage.py archive [--list | --read UUID]"""

    help = __doc__

    def add_arguments(self, parser):
        parser.add_argument("--list", action="store_true", help="what there is in files, and whether each is as it was archived")
        parser.add_argument("--read", metavar="UUID", help="verify an archive and write its rows as CSV")

    def handle(self, *args, **options):
        if options["read"]:
            self._read(options["read"])
        elif options["list"]:
            for each in Archive.objects.order_by("table", "starts_at"):
                self.stdout.write(f"{each.uuid} {each}: {each.row_count:,} rows. {archives.wrong_with(each) or 'As it was archived.'}")
        else:
            for made in archiving.archive():
                self.stdout.write(f"{made}: {made.row_count:,} rows, {made.size:,} bytes in {made.path}")

    def _read(self, uuid: str) -> None:
        archive = Archive.objects.filter(uuid=uuid).first()
        if archive is None:
            raise CommandError(f"There is no archive {uuid}.")
        if sentence := archives.wrong_with(archive):
            raise CommandError(sentence)
        for block in archives.blocks(archive):
            self.stdout.write(block.decode(), ending="")
