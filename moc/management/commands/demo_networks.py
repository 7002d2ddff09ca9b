"""Give more of the demonstration's feeders a network, so that their DERs sit on nodes: a few seconds each now, and on every day after it
the time that their envelopes take."""

from django.conf import settings
from django.core.management import CommandParser

from moc.commands import PlatformCommand
from moc.demo.load import loaded
from moc.demo.studies import more


class Command(PlatformCommand):
    """manage.py demo_networks [--feeders N]"""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--feeders", type=int, default=None, help="how many; all that have none, unless it is said")

    def handle(self, *args, **options):
        if not (settings.MOC_DEMONSTRATION and loaded()):
            self.stdout.write("No demonstration state is loaded here.")
            return
        for version in more(options["feeders"]):
            linked = f"{version.linked_count:,} of {version.point_count:,} points are service points"
            self.stdout.write(f"{version.feeder.edc}, {version.feeder.code}: {version.get_status_display()}; {linked}")
