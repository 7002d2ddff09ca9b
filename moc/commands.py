"""What every command of ours has: it sees every row, as the platform's own work does."""

from django.core.management.base import BaseCommand

from moc import sight
from moc.frames import roomy


class PlatformCommand(BaseCommand):
    """A command for whoever runs the platform. Without this a command would see no row: nobody is signed in."""

    @roomy
    def execute(self, *args, **options):
        with sight.engine():
            return super().execute(*args, **options)
