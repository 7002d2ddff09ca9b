"""Staged rows leave room on their pages, so that a decision, which changes no indexed column, stays on the page (HOT)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE registry_stagedder SET (fillfactor = 52)",
            "ALTER TABLE registry_stagedder RESET (fillfactor)",
        )
    ]
