"""Print one login per party of the demonstration state."""

from moc.commands import PlatformCommand
from moc.demo.load import loaded
from moc.demo.people import PASSWORD, logins


class Command(PlatformCommand):
    """manage.py demo_logins"""

    help = __doc__

    def handle(self, *args, **options):
        if not loaded():
            return
        for party, role, email in logins():
            self.stdout.write(f"  {party:<34} {role:<14} {email}")
        self.stdout.write(f"  password of all: {PASSWORD}")
