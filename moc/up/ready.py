"""Is the database ready, and who can sign in? One process of Django for all of `make up`'s questions: starting it costs more than they do.

Runs as a child (`python -m moc.up.ready`) with the environment of the platform; its exit code tells `make up` what to do.
"""

import os
import sys

import django
from django.core.management import CommandError, call_command
from django.db import OperationalError

from .environment import TO_MIGRATE

READY, FAILED = 0, 1


def main() -> int:
    """TO_MIGRATE if a migration is missing; else load the demonstration state if it is, print the logins, and be READY."""
    django.setup()
    try:
        if not is_migrated():
            return TO_MIGRATE
        call_command("load_demo")
        call_command("demo_logins")
    except CommandError as error:
        print(error, file=sys.stderr)
        return FAILED
    except OperationalError as error:
        print(f"The database cannot be used: {error}", file=sys.stderr)
        return FAILED
    return READY


def is_migrated() -> bool:
    """Whether every migration has been applied."""
    with open(os.devnull, "w") as nowhere:
        try:
            call_command("migrate", check_unapplied=True, verbosity=0, stdout=nowhere)
        except SystemExit:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
