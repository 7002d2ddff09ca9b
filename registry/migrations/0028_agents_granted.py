"""Agents of filed aggregations are granted what access paths gave them before."""

from django.db import migrations
from django.utils import timezone

ROLES = {
    "market_agent": "Bids for the aggregation and is settled with",
    "dispatch_agent": "Takes dispatch instructions of the aggregation",
    "meter_reader": "Sends meter data of the aggregation",
}


def grant(apps, schema_editor) -> None:
    """One grant for each role of each aggregation that another party has."""
    aggregations = apps.get_model("registry", "Aggregation").objects.exclude(status__in=["draft", "retired"])
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="registry", model="aggregation")
    grants = []
    for role, name in ROLES.items():
        permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(content_type=kind, codename=role, defaults={"name": name})
        for pk, aggregator, agent in aggregations.values_list("pk", "aggregator_id", f"{role}_id"):
            if agent != aggregator:
                facts = {"permission_id": permission.pk, "content_object_id": pk, "organization_id": agent, "aggregator_id": aggregator}
                grants.append(apps.get_model("registry", "AgentGrant")(**facts, starts_on=timezone.localdate()))
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT set_config('moc.reason', 'system: agents of filed aggregations', true)")
    apps.get_model("registry", "AgentGrant").objects.bulk_create(grants)


class Migration(migrations.Migration):
    dependencies = [("registry", "0027_agents"), ("contenttypes", "0002_remove_content_type_name"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
