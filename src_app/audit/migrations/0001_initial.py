import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import src_app.audit.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("action", models.CharField(choices=src_app.audit.models.Action.as_choices, max_length=40)),
                ("purpose", models.CharField(choices=src_app.audit.models.Purpose.as_choices, max_length=20)),
                ("subject", models.CharField(max_length=40)),
                (
                    "references",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, size=None
                    ),
                ),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, size=None
                    ),
                ),
                (
                    "recipients",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=254), default=list, size=None
                    ),
                ),
                ("rows", models.PositiveIntegerField(null=True)),
                ("origin", models.CharField(max_length=100)),
                ("address", models.GenericIPAddressField(null=True)),
                ("request_id", models.UUIDField()),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["-at", "-id"], name="audit_latest"),
                    models.Index(fields=["actor", "-at", "-id"], name="audit_actor_latest"),
                    models.Index(fields=["action", "-at", "-id"], name="audit_action_latest"),
                    models.Index(fields=["purpose", "-at", "-id"], name="audit_purpose_latest"),
                    django.contrib.postgres.indexes.GinIndex(fields=["references"], name="audit_references"),
                    models.Index(fields=["request_id"], name="audit_request"),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="auditentry",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="ab24cb77a22d3160dc788fecde00a98236f14d09",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_6cfb3",
                    table="audit_auditentry",
                    when="BEFORE",
                ),
            ),
        ),
    ]
