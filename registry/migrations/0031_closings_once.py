"""A closing version closes one tenure. The index that says so leaves out tenures that nothing has closed: all of a filing's are."""

from django.db import migrations

ONCE = "registry_dertenure_closing_id_key"


class Migration(migrations.Migration):
    dependencies = [("registry", "0030_local_days_and_profiles")]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE registry_dertenure DROP CONSTRAINT {ONCE};"
            f"CREATE UNIQUE INDEX {ONCE} ON registry_dertenure (closing_id) WHERE closing_id IS NOT NULL",
            f"DROP INDEX {ONCE}; ALTER TABLE registry_dertenure ADD CONSTRAINT {ONCE} UNIQUE (closing_id)",
        ),
    ]
