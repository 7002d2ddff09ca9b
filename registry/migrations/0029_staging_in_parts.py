"""Indexes for staging and deciding large files; the seals index every version table by transaction, a second such index only slowed writing."""

from django.db import migrations, models

TABLES = (
    "registry_historicalder",
    "registry_historicalaggregation",
    "registry_historicalaggregationmember",
    "registry_historicalaggregationpnode",
    "registry_historicalutilityprofile",
    "registry_historicalqualificationoverride",
)


def one_index(table: str) -> migrations.RunSQL:
    """Drop the second index by transaction."""
    return migrations.RunSQL(
        f"DROP INDEX {table}_written",
        f"CREATE INDEX {table}_written ON {table} USING brin (transaction_id) WITH (pages_per_range = 32, autosummarize = on)",
    )


class Migration(migrations.Migration):
    dependencies = [("moc", "0021_snapshots"), ("registry", "0028_agents_granted")]

    operations = [
        *map(one_index, TABLES),
        migrations.AddIndex(
            model_name="stagedder",
            index=models.Index(
                condition=models.Q(("change", "new"), _negated=True),
                fields=["submission", "edc"],
                include=("change",),
                name="staged_changes",
            ),
        ),
        migrations.AddIndex(
            model_name="stagedowner",
            index=models.Index(condition=models.Q(("earlier_index__isnull", False)), fields=["row"], name="staged_owner_renamed"),
        ),
    ]
