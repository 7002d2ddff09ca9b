#!/usr/bin/env python
"""Django's command line. Commands that change the schema run as the owner role, all others as the app role."""

import os
import sys

OWNER_COMMANDS = {"migrate", "makemigrations", "createcachetable", "pgtrigger", "sqlmigrate", "dbshell"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "moc.settings.base")
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ.setdefault("MOC_DATABASE_ROLE", "owner")
    from django.core.management import execute_from_command_line

    from moc import sight

    with sight.engine():  # whoever runs a command runs the platform
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
