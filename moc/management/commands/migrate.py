"""migrate, then make the cache's table, tell SQL the state's zone, give the app role its rights (everything on current tables, only SELECT
on history), put row-level security in force, and index by transaction what is sealed."""

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.core.management.commands import migrate

from moc.access.rowsecurity import missing_roles, secure
from moc.apps import own_models
from moc.database.migrating import light_state
from moc.history import grant, keep_local_days, make_orders
from moc.seals.canon import make_indexes

CACHE_TABLE = "moc_cache"


class Command(migrate.Command):
    """Django's migrate, followed by the cache's table and the grants."""

    help = __doc__

    def handle(self, *args, **options):
        if missing := missing_roles(settings.DATABASE_APP["USER"], settings.DATABASE_ENGINE_ROLE):
            raise CommandError(missing)
        with light_state():
            super().handle(*args, **options)
        if not options["check_unapplied"] and not options["plan"]:
            call_command("createcachetable", CACHE_TABLE, database=options["database"], verbosity=options["verbosity"])
            keep_local_days(settings.TIME_ZONE)
            roles = (settings.DATABASE_APP["USER"], settings.DATABASE_ENGINE_ROLE)
            for role in roles:
                grant(role)
            make_orders([model.history.model for model in own_models() if hasattr(model, "history")], *roles)
            secure(settings.DATABASE_APP["USER"])
            make_indexes()
