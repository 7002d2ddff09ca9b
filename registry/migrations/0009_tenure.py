"""Tenures: who holds a DER on which days; a DER may be nobody's between two of them."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import moc.history
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models


# Registered DERs are their aggregators' from the day of registration on. The trigger that keeps first tenures to registration comes after.
FILL = """
    SELECT set_config('moc.reason', 'system: migrate, tenures of the DERs registered so far', true);
    INSERT INTO registry_dertenure (der_id, aggregator_id, edc_id, external_id, status, is_first, valid_during)
    SELECT id, aggregator_id, edc_id, external_id, 'running', TRUE, daterange(registered_on, NULL) FROM registry_der;
    SELECT set_config('moc.reason', '', true)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("moc", "0009_tenure_permission"),
        ("registry", "0008_plain_removed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DerTenure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("external_id", models.CharField(blank=True, max_length=64, verbose_name="aggregator's id")),
                (
                    "status",
                    models.CharField(
                        choices=[("planned", "Planned"), ("running", "Running"), ("ended", "Ended")], default="planned", max_length=8
                    ),
                ),
                ("is_first", models.BooleanField(default=False, verbose_name="by registration, without an end")),
                (
                    "valid_during",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="the first day, and the first day after it", verbose_name="days"
                    ),
                ),
            ],
            options={
                "verbose_name": "DER tenure",
            },
        ),
        migrations.CreateModel(
            name="HistoricalDerTenure",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, verbose_name="ID")),
                ("transaction_id", models.BigIntegerField(editable=False, null=True)),
                ("external_id", models.CharField(blank=True, max_length=64, verbose_name="aggregator's id")),
                (
                    "status",
                    models.CharField(
                        choices=[("planned", "Planned"), ("running", "Running"), ("ended", "Ended")], default="planned", max_length=8
                    ),
                ),
                ("is_first", models.BooleanField(default=False, verbose_name="by registration, without an end")),
                (
                    "valid_during",
                    django.contrib.postgres.fields.ranges.DateRangeField(
                        help_text="the first day, and the first day after it", verbose_name="days"
                    ),
                ),
                ("history_change_reason", models.TextField(null=True)),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_type", models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1)),
            ],
            options={
                "verbose_name": "historical DER tenure",
                "verbose_name_plural": "historical DER tenures",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AlterField(
            model_name="der",
            name="aggregator",
            field=models.ForeignKey(
                blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="moc.organization"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="der",
            trigger=pgtrigger.compiler.Trigger(
                name="tenure_begins",
                sql=moc.history.DefinerTriggerSql(
                    func="\n            INSERT INTO registry_dertenure (der_id, aggregator_id, edc_id, external_id, status, is_first, valid_during)\n            SELECT id, aggregator_id, edc_id, external_id, 'running', TRUE, daterange(registered_on, NULL)\n            FROM changed WHERE aggregator_id IS NOT NULL;\n            RETURN NULL;",
                    hash="1845c9294c6e5513f5f48e7146e8323c59c73a43",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_tenure_begins_a9af9",
                    referencing="REFERENCING NEW TABLE AS changed ",
                    table="registry_der",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="der",
            trigger=pgtrigger.compiler.Trigger(
                name="held_by_tenure",
                sql=moc.history.DefinerTriggerSql(
                    condition="WHEN (OLD.aggregator_id IS DISTINCT FROM NEW.aggregator_id)",
                    func="\n            IF NEW.aggregator_id IS DISTINCT FROM\n                (SELECT aggregator_id FROM registry_dertenure WHERE der_id = NEW.id AND status = 'running') THEN\n                RAISE EXCEPTION 'DER: its aggregator is the one whose tenure is running'\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'der_held_by_tenure';\n            END IF;\n            RETURN NEW;",
                    hash="a3f1f8dc5206c09e1abff47e2487a0cfcd8a114f",
                    operation="UPDATE",
                    pgid="pgtrigger_held_by_tenure_b3396",
                    table="registry_der",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="der",
            trigger=pgtrigger.compiler.Trigger(
                name="tenure_utility",
                sql=moc.history.DefinerTriggerSql(
                    condition="WHEN (OLD.edc_id IS DISTINCT FROM NEW.edc_id)",
                    func="UPDATE registry_dertenure SET edc_id = NEW.edc_id WHERE der_id = NEW.id; RETURN NULL;",
                    hash="c4f1ce900088b79e9a29c8c50ea2f2f6333da8ab",
                    operation="UPDATE",
                    pgid="pgtrigger_tenure_utility_97c3c",
                    table="registry_der",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="dertenure",
            name="aggregator",
            field=models.ForeignKey(
                db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="moc.organization"
            ),
        ),
        migrations.AddField(
            model_name="dertenure",
            name="closing",
            field=models.OneToOneField(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="closes",
                to="registry.historicalder",
            ),
        ),
        migrations.AddField(
            model_name="dertenure",
            name="der",
            field=models.ForeignKey(
                db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name="tenures", to="registry.der"
            ),
        ),
        migrations.AddField(
            model_name="dertenure",
            name="edc",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="moc.organization",
                verbose_name="utility",
            ),
        ),
        migrations.AddField(
            model_name="dertenure",
            name="service_point",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.servicepoint",
            ),
        ),
        migrations.AddField(
            model_name="historicaldertenure",
            name="aggregator",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="moc.organization",
            ),
        ),
        migrations.AddField(
            model_name="historicaldertenure",
            name="closing",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="registry.historicalder",
            ),
        ),
        migrations.AddField(
            model_name="historicaldertenure",
            name="der",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="registry.der",
            ),
        ),
        migrations.AddField(
            model_name="historicaldertenure",
            name="edc",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="moc.organization",
                verbose_name="utility",
            ),
        ),
        migrations.AddField(
            model_name="historicaldertenure",
            name="history_user",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="historicaldertenure",
            name="service_point",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="registry.servicepoint",
            ),
        ),
        migrations.AddIndex(
            model_name="dertenure",
            index=models.Index(
                models.F("aggregator"),
                models.OrderBy(models.F("der"), descending=True),
                models.OrderBy(models.F("closing"), descending=True),
                condition=models.Q(("closing__isnull", False)),
                name="tenure_ended_by",
            ),
        ),
        migrations.AddIndex(
            model_name="dertenure",
            index=models.Index(
                models.F("edc"),
                models.OrderBy(models.F("der"), descending=True),
                models.OrderBy(models.F("closing"), descending=True),
                condition=models.Q(("closing__isnull", False)),
                name="tenure_ended_at",
            ),
        ),
        migrations.AddIndex(
            model_name="dertenure",
            index=models.Index(
                models.OrderBy(models.F("der"), descending=True),
                models.OrderBy(models.F("closing"), descending=True),
                condition=models.Q(("closing__isnull", False)),
                name="tenure_ended_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="dertenure",
            index=models.Index(condition=models.Q(("status", "ended")), fields=["aggregator", "external_id"], name="tenure_ended_id"),
        ),
        migrations.AddIndex(
            model_name="dertenure",
            index=models.Index(condition=models.Q(("service_point__isnull", False)), fields=["service_point"], name="tenure_ended_place"),
        ),
        migrations.AddIndex(
            model_name="dertenure",
            index=models.Index(
                condition=models.Q(
                    ("status", "planned"), models.Q(("status", "running"), ("valid_during__upper_inf", False)), _connector="OR"
                ),
                fields=["id"],
                name="tenure_coming",
            ),
        ),
        migrations.AddConstraint(
            model_name="dertenure",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("is_first", False)),
                expressions=[("der", "="), ("valid_during", "&&")],
                name="tenure_one_at_a_time",
                violation_error_message="Another aggregator holds the DER on some of these days.",
            ),
        ),
        migrations.AddConstraint(
            model_name="dertenure",
            constraint=models.UniqueConstraint(condition=models.Q(("valid_during__upper_inf", True)), fields=("der",), name="tenure_open"),
        ),
        migrations.AddConstraint(
            model_name="dertenure",
            constraint=models.CheckConstraint(condition=models.Q(("valid_during__isempty", False)), name="tenure_has_days"),
        ),
        migrations.AddConstraint(
            model_name="dertenure",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_first", False), ("valid_during__upper_inf", True), _connector="OR"), name="tenure_first_is_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="dertenure",
            constraint=models.CheckConstraint(
                condition=models.Q(("status", "ended"), ("closing__isnull", True), _connector="OR"), name="tenure_closed_when_ended"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dertenure",
            trigger=pgtrigger.compiler.Trigger(
                name="tenure_first_for_good",
                sql=moc.history.DefinerTriggerSql(
                    condition="WHEN (NEW.is_first AND NOT OLD.is_first)",
                    func="RAISE EXCEPTION 'A tenure begins without an end, the first with its DER'\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'tenure_first';",
                    hash="2a511f36e84d5f620b79ba35a4113699f0c3e82b",
                    operation="UPDATE",
                    pgid="pgtrigger_tenure_first_for_good_d1c0d",
                    table="registry_dertenure",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dertenure",
            trigger=pgtrigger.compiler.Trigger(
                name="lifecycle_update",
                sql=moc.history.DefinerTriggerSql(
                    condition="WHEN (OLD.status IS DISTINCT FROM NEW.status AND NOT ((OLD.status = 'planned' AND NEW.status = 'ended') OR (OLD.status = 'planned' AND NEW.status = 'running') OR (OLD.status = 'running' AND NEW.status = 'ended')))",
                    func="RAISE EXCEPTION 'DER tenure: status % may not follow %', NEW.status, OLD.status\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'lifecycle';",
                    hash="edc123c6d6987df0e2ab152e2f469342cb3993a6",
                    operation="UPDATE",
                    pgid="pgtrigger_lifecycle_update_c7ea0",
                    table="registry_dertenure",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dertenure",
            trigger=pgtrigger.compiler.Trigger(
                name="lifecycle_insert",
                sql=moc.history.DefinerTriggerSql(
                    condition="WHEN (NEW.status NOT IN ('planned', 'running'))",
                    func="RAISE EXCEPTION 'DER tenure: status % may not follow %', NEW.status, '(new)'\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'lifecycle';",
                    hash="c74a66e5c844fab5ffb205aac2eda194f25cdf54",
                    operation="INSERT",
                    pgid="pgtrigger_lifecycle_insert_f99c9",
                    table="registry_dertenure",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dertenure",
            trigger=pgtrigger.compiler.Trigger(
                name="history_insert",
                sql=moc.history.DefinerTriggerSql(
                    declare="DECLARE the_actor bigint := nullif(current_setting('moc.actor', true), ''); the_reason text := nullif(current_setting('moc.reason', true), ''); the_moment timestamptz := clock_timestamp(); the_transaction bigint := pg_current_xact_id()::text;",
                    func='\n            IF the_actor IS NULL AND the_reason IS NULL THEN\n                IF EXISTS (SELECT * FROM changed) THEN\n                    RAISE EXCEPTION \'A change of % needs an actor or a reason (moc.history.acting)\', TG_TABLE_NAME\n                        USING ERRCODE = \'insufficient_privilege\';\n                END IF;\n                RETURN NULL;\n            END IF;\n            INSERT INTO "registry_historicaldertenure"\n                ("id", "der_id", "aggregator_id", "edc_id", "external_id", "status", "is_first", "valid_during", "closing_id", "service_point_id", history_date, history_type, history_change_reason, history_user_id, transaction_id)\n            SELECT "id", "der_id", "aggregator_id", "edc_id", "external_id", "status", "is_first", "valid_during", "closing_id", "service_point_id", the_moment, \'+\', the_reason, the_actor, the_transaction\n            FROM (SELECT * FROM changed) AS version;\n            RETURN NULL;',
                    hash="1655cd8eabf66650bbdbc72fa5c7951005e2329c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_history_insert_efb5b",
                    referencing="REFERENCING NEW TABLE AS changed ",
                    table="registry_dertenure",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dertenure",
            trigger=pgtrigger.compiler.Trigger(
                name="history_update",
                sql=moc.history.DefinerTriggerSql(
                    declare="DECLARE the_actor bigint := nullif(current_setting('moc.actor', true), ''); the_reason text := nullif(current_setting('moc.reason', true), ''); the_moment timestamptz := clock_timestamp(); the_transaction bigint := pg_current_xact_id()::text;",
                    func='\n            IF the_actor IS NULL AND the_reason IS NULL THEN\n                IF EXISTS (SELECT changed.* FROM changed JOIN before ON before."id" = changed."id"\n                WHERE ROW(changed."id", changed."der_id", changed."aggregator_id", changed."edc_id", changed."external_id", changed."status", changed."is_first", changed."valid_during", changed."closing_id", changed."service_point_id")::record *<> ROW(before."id", before."der_id", before."aggregator_id", before."edc_id", before."external_id", before."status", before."is_first", before."valid_during", before."closing_id", before."service_point_id")::record) THEN\n                    RAISE EXCEPTION \'A change of % needs an actor or a reason (moc.history.acting)\', TG_TABLE_NAME\n                        USING ERRCODE = \'insufficient_privilege\';\n                END IF;\n                RETURN NULL;\n            END IF;\n            INSERT INTO "registry_historicaldertenure"\n                ("id", "der_id", "aggregator_id", "edc_id", "external_id", "status", "is_first", "valid_during", "closing_id", "service_point_id", history_date, history_type, history_change_reason, history_user_id, transaction_id)\n            SELECT "id", "der_id", "aggregator_id", "edc_id", "external_id", "status", "is_first", "valid_during", "closing_id", "service_point_id", the_moment, \'~\', the_reason, the_actor, the_transaction\n            FROM (SELECT changed.* FROM changed JOIN before ON before."id" = changed."id"\n                WHERE ROW(changed."id", changed."der_id", changed."aggregator_id", changed."edc_id", changed."external_id", changed."status", changed."is_first", changed."valid_during", changed."closing_id", changed."service_point_id")::record *<> ROW(before."id", before."der_id", before."aggregator_id", before."edc_id", before."external_id", before."status", before."is_first", before."valid_during", before."closing_id", before."service_point_id")::record) AS version;\n            RETURN NULL;',
                    hash="21a494bea2209feb93aee9a20653209e5b737a34",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_history_update_f5507",
                    referencing="REFERENCING OLD TABLE AS before  NEW TABLE AS changed ",
                    table="registry_dertenure",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dertenure",
            trigger=pgtrigger.compiler.Trigger(
                name="history_delete",
                sql=moc.history.DefinerTriggerSql(
                    declare="DECLARE the_actor bigint := nullif(current_setting('moc.actor', true), ''); the_reason text := nullif(current_setting('moc.reason', true), ''); the_moment timestamptz := clock_timestamp(); the_transaction bigint := pg_current_xact_id()::text;",
                    func='\n            IF the_actor IS NULL AND the_reason IS NULL THEN\n                IF EXISTS (SELECT * FROM changed) THEN\n                    RAISE EXCEPTION \'A change of % needs an actor or a reason (moc.history.acting)\', TG_TABLE_NAME\n                        USING ERRCODE = \'insufficient_privilege\';\n                END IF;\n                RETURN NULL;\n            END IF;\n            INSERT INTO "registry_historicaldertenure"\n                ("id", "der_id", "aggregator_id", "edc_id", "external_id", "status", "is_first", "valid_during", "closing_id", "service_point_id", history_date, history_type, history_change_reason, history_user_id, transaction_id)\n            SELECT "id", "der_id", "aggregator_id", "edc_id", "external_id", "status", "is_first", "valid_during", "closing_id", "service_point_id", the_moment, \'-\', the_reason, the_actor, the_transaction\n            FROM (SELECT * FROM changed) AS version;\n            RETURN NULL;',
                    hash="8b06e938fb2936f038aed0baa850740e3dce1229",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_history_delete_8c158",
                    referencing="REFERENCING OLD TABLE AS changed ",
                    table="registry_dertenure",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dertenure",
            trigger=pgtrigger.compiler.Trigger(
                name="history_truncate",
                sql=moc.history.DefinerTriggerSql(
                    func="RAISE EXCEPTION '% on % is refused: history is never lost', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';",
                    hash="eaf2ef1c5f0664383a90650b6906cb23c71fe3a3",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_history_truncate_27084",
                    table="registry_dertenure",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dertenure",
            trigger=pgtrigger.compiler.Trigger(
                name="history_key",
                sql=moc.history.DefinerTriggerSql(
                    func="RAISE EXCEPTION '% on % is refused: the primary key names the object in history', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';",
                    hash="0727a01f915ff5f160d10cf5fc79d04951fc1da7",
                    level="STATEMENT",
                    operation='UPDATE OF "id"',
                    pgid="pgtrigger_history_key_f32aa",
                    table="registry_dertenure",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="historicaldertenure",
            index=models.Index(
                models.F("id"),
                models.OrderBy(models.F("history_date"), descending=True),
                models.OrderBy(models.F("history_id"), descending=True),
                name="dertenure_versions",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="historicaldertenure",
            trigger=pgtrigger.compiler.Trigger(
                name="sealed_rows",
                sql=moc.history.DefinerTriggerSql(
                    func="RAISE EXCEPTION '% on % is refused: history is never lost', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';",
                    hash="174aa37a24a336f62fb504e640cfc4654f667293",
                    level="STATEMENT",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_sealed_rows_df0fd",
                    table="registry_historicaldertenure",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="historicaldertenure",
            trigger=pgtrigger.compiler.Trigger(
                name="sealed_table",
                sql=moc.history.DefinerTriggerSql(
                    func="RAISE EXCEPTION '% on % is refused: history is never lost', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';",
                    hash="ea49da560945bade5585d06f8c714cdf8f5a8cd3",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_sealed_table_796ae",
                    table="registry_historicaldertenure",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        pgtrigger.migrations.AddTrigger(
            model_name="dertenure",
            trigger=pgtrigger.compiler.Trigger(
                name="tenure_first",
                sql=moc.history.DefinerTriggerSql(
                    condition="WHEN (NEW.is_first AND pg_trigger_depth() = 0 OR NOT upper_inf(NEW.valid_during))",
                    func="RAISE EXCEPTION 'A tenure begins without an end, the first with its DER'\n            USING ERRCODE = 'check_violation', CONSTRAINT = 'tenure_first';",
                    hash="6580ed67563ac30fb6af724eb2dcde01d522b04d",
                    operation="INSERT",
                    pgid="pgtrigger_tenure_first_06e06",
                    table="registry_dertenure",
                    when="BEFORE",
                ),
            ),
        ),
    ]
