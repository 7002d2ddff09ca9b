"""Replace the keys of personal data while everybody works; a run that was stopped goes on where it stood."""

from time import sleep

from django.core.management.base import CommandError

from moc.access.models import Organization
from moc.commands import PlatformCommand
from moc.vault import rotation
from moc.vault.models import DataKey, SubjectKey
from registry.rosters import services as rosters
from registry.submissions.services.reindexing import reindex

LOOK_EVERY_S = 1


class Command(PlatformCommand):
    """Wraps the data keys by the current master key, or gives parties other data keys."""

    help = (
        "Without names: wrap all data keys by the first of MOC_MASTER_KEYS; afterwards the older ones can be removed. "
        "With slugs of organisations, or --all: give each another data key and wrap the keys of its persons and files by it."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("organization", nargs="*", help="slugs of organisations whose data key is replaced")
        parser.add_argument("--all", action="store_true", help="replace every party's data key")

    def handle(self, *args, organization: list[str], all: bool, **options) -> None:  # noqa: A002
        self.stdout.write(f"{rotation.rewrap_data_keys()} data keys wrapped by the current master key")
        holders = Organization.objects.filter(pk__in=DataKey.objects.values("organization"))
        chosen = holders if all else holders.filter(slug__in=organization)
        if missing := set(organization) - set(chosen.values_list("slug", flat=True)):
            raise CommandError(f"No data key of: {', '.join(sorted(missing))}")
        for each in chosen.order_by("slug"):
            self._rotate(each)

    def _rotate(self, organization: Organization) -> None:
        former = rotation.begin(organization.pk)
        total, done = SubjectKey.objects.filter(data_key=former).count(), 0

        def progress(count: int) -> None:
            nonlocal done
            done += count
            self.stdout.write(f"{organization.slug}: {done:,} keys and indexes, of {total:,} keys")

        rotation.rewrap_subjects(former, progress)
        before = rotation.writers()
        while before & rotation.writers():  # a file that is being read is sealed with the key that was current when it was opened
            sleep(LOOK_EVERY_S)
        rotation.rewrap_subjects(former, progress)
        reindex(former, progress)
        rosters.reindex(former, progress)
        rotation.retire(former)
        self.stdout.write(f"{organization.slug}: done, the former data key is destroyed")
