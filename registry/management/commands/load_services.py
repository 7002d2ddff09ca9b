"""Add the shipped grid services that are not there yet."""

from moc.commands import PlatformCommand
from registry.catalogue.services import load


class Command(PlatformCommand):
    """manage.py load_services"""

    help = __doc__

    def handle(self, *args, **options):
        self.stdout.write(f"{load()} grid services added.")
