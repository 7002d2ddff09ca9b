"""The registries that benchmarks share, filled once a run."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.scale import sites
from tests.scale.figures import ROWS


@pytest.fixture(scope="session")
def small_and_large(django_db_setup, django_db_blocker) -> Iterator[tuple[sites.Site, sites.Site]]:
    """A registry of 10,000 DERs and one of BENCH_ROWS."""
    with django_db_blocker.unblock():
        name = connection.settings_dict["NAME"]
        built = [sites.build(f"{name}_template", f"{name}_{size}", rows) for size, rows in (("small", sites.SMALL_ROWS), ("large", ROWS))]
        connection.close()
    print("\n\nFilled: " + ", ".join(f"{site.rows:,} DERs in {site.fill_s:.0f} s" for site in built))
    yield tuple(built)
    with django_db_blocker.unblock():
        connection.close()
        for site in built:
            sites.drop(site)
