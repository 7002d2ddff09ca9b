"""Add the shipped grid services that are not there yet."""

from django.core.management.base import BaseCommand

from registry.aggregations.services.catalogue import load


class Command(BaseCommand):
    """manage.py load_services"""

    help = __doc__

    def handle(self, *args, **options):
        self.stdout.write(f"{load()} grid services added.")
