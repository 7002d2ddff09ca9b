"""Add the shipped rule set rows that are not there yet."""

from moc.commands import PlatformCommand
from moc.rulesets.services import load


class Command(PlatformCommand):
    """manage.py load_rulesets"""

    help = __doc__

    def handle(self, *args, **options):
        self.stdout.write(f"{load()} rule set rows added.")
