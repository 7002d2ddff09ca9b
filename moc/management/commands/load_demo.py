"""Load the demonstration state (New Jersey, EIA-861 of 2018) into an empty database."""

import sys

from django.conf import settings

from moc.access.models import Organization
from moc.commands import PlatformCommand
from moc.demo import load

WIDTH = 40


class Command(PlatformCommand):
    """manage.py load_demo"""

    help = __doc__

    def handle(self, *args, **options):
        if not settings.MOC_DEMONSTRATION:
            self.stdout.write("No demonstration state: MOC_DEMONSTRATION is off.")
            return
        if load.loaded():
            load.catch_up()
            return
        if Organization.objects.exists() and not Organization.objects.filter(slug="njmoc").exists():
            self.stdout.write("No demonstration state: the database holds other organisations.")
            return
        load.load(self.report)
        self.stdout.write("")

    def report(self, step: str, share: float) -> None:
        bar = "#" * int(WIDTH * share)
        end = "" if self.stdout.isatty() else "\n"
        self.stdout.write(f"\r[{bar:<{WIDTH}}] {share:4.0%} {step:<50}" if not end else f"{share:4.0%} {step}", ending=end)
        sys.stdout.flush()
