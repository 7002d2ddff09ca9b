"""Publish the public figures now, as the beat does once a month."""

from moc.commands import PlatformCommand
from moc.public import services


class Command(PlatformCommand):
    """Counts, hides what names few customers, and renews what changed enough."""

    help = __doc__

    def handle(self, *args, **options):
        made = services.publish()
        self.stdout.write(f"{made.renewed} figures renewed, {made.kept} left as they were, {made.hidden} hidden.")
