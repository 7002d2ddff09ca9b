"""migrate, then make the cache's table and give the app role its rights: everything on current tables, only SELECT on history."""

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands import migrate

from moc.history import grant

CACHE_TABLE = "moc_cache"


class Command(migrate.Command):
    """Django's migrate, followed by the cache's table and the grants."""

    help = __doc__

    def handle(self, *args, **options):
        super().handle(*args, **options)
        if not options["check_unapplied"] and not options["plan"]:
            call_command("createcachetable", CACHE_TABLE, database=options["database"], verbosity=options["verbosity"])
            grant(settings.DATABASE_APP["USER"])
