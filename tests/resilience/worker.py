"""A worker process for the tests that kill it: runs one job of the test database."""

import sys

import django

django.setup()

from registry.submissions import tasks  # noqa: E402

if __name__ == "__main__":
    {"stage": tasks.stage, "decide": tasks.decide}[sys.argv[1]](int(sys.argv[2]))
