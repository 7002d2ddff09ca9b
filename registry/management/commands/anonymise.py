"""Anonymise the personal data whose period is over, or say what falls due."""

from moc.commands import PlatformCommand
from registry.administration.services import anonymising


class Command(PlatformCommand):
    """manage.py anonymise [--preview]"""

    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument("--preview", action="store_true", help="change nothing; say what falls due by utility")

    def handle(self, *args, preview: bool, **options) -> None:
        if not preview:
            for kind, number in anonymising.enforce().items():
                self.stdout.write(f"{kind.replace('_', '-')}: {number:,} anonymised")
            return
        for each in anonymising.of_all():
            period = f"{each.owners_law.value} years" if each.owners_law else "no period"
            self.stdout.write(
                f"{each.edc.slug}: {each.idle:,} owners without a DER, {each.due:,} due, {each.soon:,} within a year, "
                f"{each.held:,} held by disputes ({period}); {each.look_ups:,} look-ups due"
            )
