"""migrate, then give the app role its rights: everything on current tables, only SELECT on history and on the migration record."""

from django.conf import settings
from django.core.management.commands import migrate

from moc.history import grant


class Command(migrate.Command):
    """Django's migrate, followed by the grants."""

    help = __doc__

    def handle(self, *args, **options):
        super().handle(*args, **options)
        if not options["check_unapplied"] and not options["plan"]:
            grant(settings.DATABASE_APP["USER"])
