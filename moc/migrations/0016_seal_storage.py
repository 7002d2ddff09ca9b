"""Hashes do not compress: keep them as they are, without trying."""

from django.db import migrations

COLUMNS = ("keys", "leaves", "fields")


def stored(how: str) -> str:
    return "ALTER TABLE moc_sealedblock " + ", ".join(f"ALTER COLUMN {column} SET STORAGE {how}" for column in COLUMNS)


class Migration(migrations.Migration):
    dependencies = [("moc", "0015_look_ups")]

    operations = [migrations.RunSQL(stored("EXTERNAL"), stored("EXTENDED"))]
