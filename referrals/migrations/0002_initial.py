import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.db.models.deletion
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
import referrals.models.allocations
import referrals.models.cases
import referrals.models.contact
import referrals.models.imports
import referrals.models.notifications
import referrals.models.places
import referrals.models.referrals
import referrals.models.trials
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    # Indexes and constraints are given with their models, and triggers right after them: each operation that
    # stands alone has Django make anew whatever models refer to its own, and 200 of those took 8 s.
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("referrals", "0001_extensions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Bcu",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=20, unique=True)),
                ("name", models.CharField(max_length=100)),
            ],
        ),
        migrations.CreateModel(
            name="NumberSeries",
            fields=[
                ("year", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("last", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="BcuMembership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(null=True)),
                (
                    "bcu",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="referrals.bcu",
                    ),
                ),
            ],
            options={
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            ("user", "="),
                            ("bcu", "="),
                            (referrals.models.places.DateRange("starts_on", "ends_on"), "&&"),
                        ],
                        name="bcu_membership_once_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_on__isnull", True),
                            ("ends_on__gte", models.F("starts_on")),
                            _connector="OR",
                        ),
                        name="bcu_membership_ends_not_before_it_starts",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bcumembership",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_bcumembershipevent" ("bcu_id", "ends_on", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "user_id") SELECT new_values."bcu_id", new_values."ends_on", new_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."starts_on", new_values."user_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="0dd18491059f89e048ae26611e31e5c9f9190056",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_f0acc",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_bcumembership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bcumembership",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_bcumembershipevent" ("bcu_id", "ends_on", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "user_id") SELECT new_values."bcu_id", new_values."ends_on", new_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."starts_on", new_values."user_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="c8aca620cbe056fd6dea279cabe6516348f71a5f",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_ec493",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_bcumembership",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="BcuMembershipEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.bcumembership",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(null=True)),
                (
                    "bcu",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.bcu",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="bcumembershipevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="893fd6f0c2bb225461da22f03814b9dfcd57c154",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_a88ad",
                    table="referrals_bcumembershipevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Borough",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=9, unique=True)),
                ("name", models.CharField(max_length=100)),
                (
                    "bcu",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="boroughs",
                        to="referrals.bcu",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CaseImport",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("key", models.UUIDField(default=uuid.uuid4, unique=True)),
                (
                    "bcu",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="imports",
                        to="referrals.bcu",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=referrals.models.imports.ImportSource.as_choices,
                        default="page",
                        max_length=10,
                    ),
                ),
                ("file_name", models.CharField(blank=True, max_length=100)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("sheet", models.CharField(blank=True, max_length=100)),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("uploaded_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=referrals.models.imports.ImportStatus.as_choices,
                        default="reading",
                        max_length=10,
                    ),
                ),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("report_encrypted", models.BinaryField(null=True)),
                ("queued_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("seen", models.CharField(blank=True, max_length=64)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("settled_at", models.DateTimeField(null=True)),
                ("rows", models.PositiveIntegerField(default=0)),
                ("new", models.PositiveIntegerField(default=0)),
                ("unchanged", models.PositiveIntegerField(default=0)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("rejected", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["bcu", "-uploaded_at", "-id"], name="import_latest"),
                    models.Index(fields=["-uploaded_at", "-id"], name="import_latest_of_several"),
                    models.Index(
                        condition=models.Q(("settled_at__isnull", True)),
                        fields=["queued_at"],
                        name="import_held",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "reading",
                                    "matching",
                                    "waiting",
                                    "saving",
                                    "saved",
                                    "discarded",
                                    "expired",
                                    "refused",
                                ],
                            )
                        ),
                        name="import_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("settled_at__isnull", True),
                                ("status__in", ("reading", "saving", "matching", "waiting")),
                            ),
                            models.Q(
                                models.Q(
                                    ("status__in", ("reading", "saving", "matching", "waiting")),
                                    _negated=True,
                                ),
                                models.Q(
                                    ("report_encrypted__isnull", True),
                                    models.Q(("source", "folder"), ("status", "saved")),
                                    _connector="OR",
                                ),
                                ("settled_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="settled_import_keeps_no_report_but_of_the_unseen",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "saving"), _negated=True),
                            ("confirmed_by__isnull", False),
                            _connector="OR",
                        ),
                        name="import_is_saved_for_somebody",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseimport",
            trigger=pgtrigger.compiler.Trigger(
                name="settled_import_keeps_no_content",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (\n                    NEW.status IN ('reading', 'saving', 'matching', 'waiting') OR NOT EXISTS (\n                        SELECT FROM referrals_heldpart WHERE extract_id = NEW.id AND kind = 'content'\n                    )\n                ) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: settled_import_keeps_no_content' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="bfe05c4329e05d1a073d6c0a78e24ddc6f7f7c44",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_settled_import_keeps_no_content_0517d",
                    table="referrals_caseimport",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseimport",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_caseimportevent" ("bcu_id", "changed", "confirmed_by_id", "file_name", "id", "key", "new", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "problem", "rejected", "rows", "seen", "settled_at", "sheet", "size", "source", "status", "unchanged", "uploaded_at", "uploaded_by_id") SELECT new_values."bcu_id", new_values."changed", new_values."confirmed_by_id", new_values."file_name", new_values."id", new_values."key", new_values."new", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."problem", new_values."rejected", new_values."rows", new_values."seen", new_values."settled_at", new_values."sheet", new_values."size", new_values."source", new_values."status", new_values."unchanged", new_values."uploaded_at", new_values."uploaded_by_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="411da8042feaf65ce94ea77cdf668b71e667eb41",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_de8f0",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_caseimport",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseimport",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_caseimportevent" ("bcu_id", "changed", "confirmed_by_id", "file_name", "id", "key", "new", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "problem", "rejected", "rows", "seen", "settled_at", "sheet", "size", "source", "status", "unchanged", "uploaded_at", "uploaded_by_id") SELECT new_values."bcu_id", new_values."changed", new_values."confirmed_by_id", new_values."file_name", new_values."id", new_values."key", new_values."new", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."problem", new_values."rejected", new_values."rows", new_values."seen", new_values."settled_at", new_values."sheet", new_values."size", new_values."source", new_values."status", new_values."unchanged", new_values."uploaded_at", new_values."uploaded_by_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."bcu_id" IS DISTINCT FROM (new_values."bcu_id") OR old_values."changed" IS DISTINCT FROM (new_values."changed") OR old_values."confirmed_by_id" IS DISTINCT FROM (new_values."confirmed_by_id") OR old_values."file_name" IS DISTINCT FROM (new_values."file_name") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."key" IS DISTINCT FROM (new_values."key") OR old_values."new" IS DISTINCT FROM (new_values."new") OR old_values."problem" IS DISTINCT FROM (new_values."problem") OR old_values."rejected" IS DISTINCT FROM (new_values."rejected") OR old_values."rows" IS DISTINCT FROM (new_values."rows") OR old_values."seen" IS DISTINCT FROM (new_values."seen") OR old_values."settled_at" IS DISTINCT FROM (new_values."settled_at") OR old_values."sheet" IS DISTINCT FROM (new_values."sheet") OR old_values."size" IS DISTINCT FROM (new_values."size") OR old_values."source" IS DISTINCT FROM (new_values."source") OR old_values."status" IS DISTINCT FROM (new_values."status") OR old_values."unchanged" IS DISTINCT FROM (new_values."unchanged") OR old_values."uploaded_at" IS DISTINCT FROM (new_values."uploaded_at") OR old_values."uploaded_by_id" IS DISTINCT FROM (new_values."uploaded_by_id")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="dd57c847ada80f2c7e064fec676f050765ca232a",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_23de4",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_caseimport",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="CaseImportEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.caseimport",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.UUIDField(default=uuid.uuid4, serialize=False)),
                ("key", models.UUIDField(default=uuid.uuid4)),
                (
                    "bcu",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.bcu",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=referrals.models.imports.ImportSource.as_choices,
                        default="page",
                        max_length=10,
                    ),
                ),
                ("file_name", models.CharField(blank=True, max_length=100)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("sheet", models.CharField(blank=True, max_length=100)),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("uploaded_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=referrals.models.imports.ImportStatus.as_choices,
                        default="reading",
                        max_length=10,
                    ),
                ),
                ("problem", models.CharField(blank=True, max_length=300)),
                ("seen", models.CharField(blank=True, max_length=64)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("settled_at", models.DateTimeField(null=True)),
                ("rows", models.PositiveIntegerField(default=0)),
                ("new", models.PositiveIntegerField(default=0)),
                ("unchanged", models.PositiveIntegerField(default=0)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("rejected", models.PositiveIntegerField(default=0)),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseimportevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="0eb75abeef55b5f821b46237deefdb59c3682ec1",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_b8d79",
                    table="referrals_caseimportevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="HeadingMeaning",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "bcu",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="heading_meanings",
                        to="referrals.bcu",
                    ),
                ),
                ("heading", models.CharField(max_length=100)),
                ("column", models.CharField(blank=True, max_length=40)),
                (
                    "said_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("said_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("bcu", "heading"), name="heading_has_one_meaning")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="headingmeaning",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_headingmeaningevent" ("bcu_id", "column", "heading", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "said_at", "said_by_id") SELECT new_values."bcu_id", new_values."column", new_values."heading", new_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."said_at", new_values."said_by_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="3326b5a0048ed0d4e3b125d7fddf4fcdd7a8d751",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_67c2d",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_headingmeaning",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="headingmeaning",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_headingmeaningevent" ("bcu_id", "column", "heading", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "said_at", "said_by_id") SELECT new_values."bcu_id", new_values."column", new_values."heading", new_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."said_at", new_values."said_by_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="eafa242f5cd18330cb33bb2bf3b64e02c92995d3",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_0746c",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_headingmeaning",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="HeadingMeaningEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.headingmeaning",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "bcu",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.bcu",
                    ),
                ),
                ("heading", models.CharField(max_length=100)),
                ("column", models.CharField(blank=True, max_length=40)),
                (
                    "said_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("said_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="headingmeaningevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="34240d2a4b91b56e965c086135d5fed5f20b1fd7",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_d2ab2",
                    table="referrals_headingmeaningevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="HeldPart",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "extract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="referrals.caseimport",
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=referrals.models.imports.PartKind.as_choices, max_length=10),
                ),
                ("number", models.PositiveIntegerField()),
                ("body_encrypted", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("extract", "kind", "number"), name="held_part_once")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="heldpart",
            trigger=pgtrigger.compiler.Trigger(
                name="no_content_of_what_is_settled",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (\n                    NEW.kind <> 'content' OR EXISTS (\n                        SELECT FROM referrals_caseimport WHERE id = NEW.extract_id AND settled_at IS NULL\n                    )\n                ) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: no_content_of_what_is_settled' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="8f0160f63fc6b112e6c5613849a3f54478d8a733",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_no_content_of_what_is_settled_4d6af",
                    table="referrals_heldpart",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, unique=True)),
                (
                    "bcu",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="submissions",
                        to="referrals.bcu",
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("submitted_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["bcu", "-submitted_at", "-id"], name="submission_latest")],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="submission",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="22b39dc12fba6e4c74da4847335ad433f0b5b281",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_98a34",
                    table="referrals_submission",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "borough",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="teams",
                        to="referrals.borough",
                    ),
                ),
                ("mailbox", models.EmailField(max_length=254)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("borough", "name"), name="team_name_in_borough")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="team",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_teamevent" ("borough_id", "id", "mailbox", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."borough_id", new_values."id", new_values."mailbox", new_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="975829000fb6679dff47331f1220440bffa676ae",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_f8c03",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_team",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="team",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_teamevent" ("borough_id", "id", "mailbox", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."borough_id", new_values."id", new_values."mailbox", new_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="9eb0d9a93dba96c6b7db4773196b5cc610624c24",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_0a1bc",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_team",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="TeamEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.team",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                ("name", models.CharField(max_length=100)),
                (
                    "borough",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.borough",
                    ),
                ),
                ("mailbox", models.EmailField(max_length=254)),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="teamevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="ee96e8e48f3d5590a9e90ccfa82b59209529f058",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_c7b70",
                    table="referrals_teamevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="TeamMembership",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(null=True)),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="referrals.team",
                    ),
                ),
            ],
            options={
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[
                            ("user", "="),
                            ("team", "="),
                            (referrals.models.places.DateRange("starts_on", "ends_on"), "&&"),
                        ],
                        name="team_membership_once_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_on__isnull", True),
                            ("ends_on__gte", models.F("starts_on")),
                            _connector="OR",
                        ),
                        name="team_membership_ends_not_before_it_starts",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="teammembership",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_teammembershipevent" ("ends_on", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "team_id", "user_id") SELECT new_values."ends_on", new_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."starts_on", new_values."team_id", new_values."user_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="8ea75c071e77176a26ba0937a67326498fd496bc",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_d5cb6",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_teammembership",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="teammembership",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_teammembershipevent" ("ends_on", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "team_id", "user_id") SELECT new_values."ends_on", new_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."starts_on", new_values."team_id", new_values."user_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="eed6c9ae7a52103260fc9767ead2e2a9527691bb",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_06ce8",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_teammembership",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="TeamMembershipEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.teammembership",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField(null=True)),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.team",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="teammembershipevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="48840b753d2112722a12c36d4953c968fede16b2",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_b0d76",
                    table="referrals_teammembershipevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Trial",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "bcu",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="trials", to="referrals.bcu"
                    ),
                ),
                ("name", models.CharField(max_length=200, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=referrals.models.trials.TrialStatus.as_choices, default="draft", max_length=20
                    ),
                ),
                ("protocol", models.JSONField(default=dict)),
                ("commitment", models.CharField(blank=True, max_length=64)),
                ("seed_encrypted", models.BinaryField(null=True)),
                ("revealed_seed", models.CharField(blank=True, max_length=64)),
                ("proposed_at", models.DateTimeField(null=True)),
                (
                    "proposed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("sealed_at", models.DateTimeField(null=True)),
                (
                    "sealed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("opened_at", models.DateTimeField(null=True)),
                (
                    "opened_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("closed_because", models.CharField(blank=True, max_length=300)),
                ("locked_at", models.DateTimeField(null=True)),
                (
                    "locked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("revealed_at", models.DateTimeField(null=True)),
                (
                    "revealed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["draft", "sealed", "recruiting", "closed", "locked", "revealed"])
                        ),
                        name="trial_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("proposed_at__isnull", True), ("proposed_by__isnull", True)),
                            models.Q(("proposed_at__isnull", False), ("proposed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="trial_proposed_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sealed_at__isnull", True), ("sealed_by__isnull", True)),
                            models.Q(("sealed_at__isnull", False), ("sealed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="trial_sealed_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("opened_at__isnull", True), ("opened_by__isnull", True)),
                            models.Q(("opened_at__isnull", False), ("opened_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="trial_opened_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("closed_by__isnull", True)),
                            models.Q(("closed_at__isnull", False), ("closed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="trial_closed_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("locked_at__isnull", True), ("locked_by__isnull", True)),
                            models.Q(("locked_at__isnull", False), ("locked_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="trial_locked_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("revealed_at__isnull", True), ("revealed_by__isnull", True)),
                            models.Q(("revealed_at__isnull", False), ("revealed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="trial_revealed_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status__in", ["sealed", "recruiting", "closed", "locked", "revealed"]),
                                ("sealed_at__isnull", False),
                            ),
                            models.Q(
                                models.Q(
                                    ("status__in", ["sealed", "recruiting", "closed", "locked", "revealed"]),
                                    _negated=True,
                                ),
                                ("sealed_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="trial_sealed_since_sealed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status__in", ["recruiting", "closed", "locked", "revealed"]),
                                ("opened_at__isnull", False),
                            ),
                            models.Q(
                                models.Q(
                                    ("status__in", ["recruiting", "closed", "locked", "revealed"]),
                                    _negated=True,
                                ),
                                ("opened_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="trial_opened_since_recruiting",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("status__in", ["closed", "locked", "revealed"]), ("closed_at__isnull", False)
                            ),
                            models.Q(
                                models.Q(("status__in", ["closed", "locked", "revealed"]), _negated=True),
                                ("closed_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="trial_closed_since_closed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["locked", "revealed"]), ("locked_at__isnull", False)),
                            models.Q(
                                models.Q(("status__in", ["locked", "revealed"]), _negated=True),
                                ("locked_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="trial_locked_since_locked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["revealed"]), ("revealed_at__isnull", False)),
                            models.Q(
                                models.Q(("status__in", ["revealed"]), _negated=True),
                                ("revealed_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="trial_revealed_since_revealed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sealed_at__isnull", True),
                            models.Q(
                                ("sealed_at__gte", models.F("proposed_at")),
                                models.Q(("sealed_by", models.F("proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="trial_is_sealed_by_another_than_proposed_it",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("opened_at__gte", models.F("sealed_at")),
                            ("closed_at__gte", models.F("opened_at")),
                            ("locked_at__gte", models.F("closed_at")),
                            ("revealed_at__gte", models.F("locked_at")),
                        ),
                        name="trial_steps_follow_one_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("commitment", ""), ("seed_encrypted__isnull", True), ("status", "draft")
                            ),
                            models.Q(
                                models.Q(("status", "draft"), _negated=True),
                                ("proposed_at__isnull", False),
                                ("seed_encrypted__isnull", False),
                                ("commitment__regex", "^[0-9a-f]{64}$"),
                            ),
                            _connector="OR",
                        ),
                        name="trial_is_sealed_with_a_seed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("closed_because", "")),
                            models.Q(
                                ("closed_at__isnull", False), models.Q(("closed_because", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="trial_closes_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("revealed_seed__regex", "^[0-9a-f]{64}$"), ("status", "revealed")),
                            models.Q(models.Q(("status", "revealed"), _negated=True), ("revealed_seed", "")),
                            _connector="OR",
                        ),
                        name="trial_shows_its_seed_once_revealed",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="trial",
            trigger=pgtrigger.compiler.Trigger(
                name="sealed_is_not_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NOT (OLD.\"status\" = 'draft'))",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="fd9da9c2f4c2d49966e45fe0db3ab61a5ea75271",
                    operation="DELETE",
                    pgid="pgtrigger_sealed_is_not_deleted_30122",
                    table="referrals_trial",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="trial",
            trigger=pgtrigger.compiler.Trigger(
                name="begins_as_a_draft",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NOT (NEW.\"status\" = 'draft'))",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;",
                    hash="0d52d2d17edb31c64bbf40aa7bb69a66defc7326",
                    operation="INSERT",
                    pgid="pgtrigger_begins_as_a_draft_32fc7",
                    table="referrals_trial",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="trial",
            trigger=pgtrigger.compiler.Trigger(
                name="goes_forward",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- A trial stays at its step or takes the next one; what is sealed stays, and so does what a step has set.\nIF array_position(ARRAY['draft', 'sealed', 'recruiting', 'closed', 'locked', 'revealed'], NEW.status::text) - array_position(ARRAY['draft', 'sealed', 'recruiting', 'closed', 'locked', 'revealed'], OLD.status::text) NOT IN (0, 1)\n    OR (OLD.status <> 'draft' AND (OLD.bcu_id IS DISTINCT FROM NEW.bcu_id OR OLD.name IS DISTINCT FROM NEW.name OR OLD.protocol IS DISTINCT FROM NEW.protocol OR OLD.commitment IS DISTINCT FROM NEW.commitment OR OLD.seed_encrypted IS DISTINCT FROM NEW.seed_encrypted OR OLD.proposed_at IS DISTINCT FROM NEW.proposed_at OR OLD.proposed_by_id IS DISTINCT FROM NEW.proposed_by_id))\n    OR (coalesce(OLD.sealed_at::text, '') <> '' AND OLD.sealed_at IS DISTINCT FROM NEW.sealed_at) OR (coalesce(OLD.sealed_by_id::text, '') <> '' AND OLD.sealed_by_id IS DISTINCT FROM NEW.sealed_by_id) OR (coalesce(OLD.opened_at::text, '') <> '' AND OLD.opened_at IS DISTINCT FROM NEW.opened_at) OR (coalesce(OLD.opened_by_id::text, '') <> '' AND OLD.opened_by_id IS DISTINCT FROM NEW.opened_by_id) OR (coalesce(OLD.closed_at::text, '') <> '' AND OLD.closed_at IS DISTINCT FROM NEW.closed_at) OR (coalesce(OLD.closed_by_id::text, '') <> '' AND OLD.closed_by_id IS DISTINCT FROM NEW.closed_by_id) OR (coalesce(OLD.locked_at::text, '') <> '' AND OLD.locked_at IS DISTINCT FROM NEW.locked_at) OR (coalesce(OLD.locked_by_id::text, '') <> '' AND OLD.locked_by_id IS DISTINCT FROM NEW.locked_by_id) OR (coalesce(OLD.revealed_at::text, '') <> '' AND OLD.revealed_at IS DISTINCT FROM NEW.revealed_at) OR (coalesce(OLD.revealed_by_id::text, '') <> '' AND OLD.revealed_by_id IS DISTINCT FROM NEW.revealed_by_id) OR (coalesce(OLD.closed_because::text, '') <> '' AND OLD.closed_because IS DISTINCT FROM NEW.closed_because) OR (coalesce(OLD.revealed_seed::text, '') <> '' AND OLD.revealed_seed IS DISTINCT FROM NEW.revealed_seed)\nTHEN\n    RAISE EXCEPTION 'refused: a trial goes forward' USING ERRCODE = 'check_violation';\nEND IF;\nRETURN NEW;",
                    hash="eb38ea6aea6f422f1114f9d6232347107f8f11e3",
                    operation="UPDATE",
                    pgid="pgtrigger_goes_forward_a095f",
                    table="referrals_trial",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="trial",
            trigger=pgtrigger.compiler.Trigger(
                name="sealed_with_every_approval",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (\n                    NEW.status = 'draft'\n                    OR (SELECT count(*) FROM referrals_approval WHERE trial_id = NEW.id) = 3\n                    AND EXISTS (SELECT FROM referrals_registrar WHERE trial_id = NEW.id)\n                ) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: sealed_with_every_approval' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="7e9f2b074c59e98af9e6a582f800868518181349",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_sealed_with_every_approval_673a2",
                    table="referrals_trial",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="trial",
            trigger=pgtrigger.compiler.Trigger(
                name="locked_with_every_control_checked",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (-- Outcomes are locked once the crime record of every control unit was looked up.\nNEW.status NOT IN ('locked', 'revealed')\nOR NOT EXISTS (\n    SELECT FROM referrals_allocation AS control\n    WHERE control.trial_id = NEW.id AND control.arm = 'control'\n        AND control.position IS NOT NULL\n        AND NOT EXISTS (\n            SELECT FROM referrals_controlcheck WHERE allocation_id = control.id\n        )\n)) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: locked_with_every_control_checked' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="de5978965ae247bed2931f03b05b3043987ad414",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_locked_with_every_control_checked_d2f6a",
                    table="referrals_trial",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="trial",
            trigger=pgtrigger.compiler.Trigger(
                name="strand_as_assessed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (-- Race is a stratum or a factor only where the data protection assessment allows it.\nNEW.status = 'draft'\nOR NOT (\n    NEW.protocol->>'stratified_by' = 'race'\n    OR NEW.protocol->'allocation'->'factors' @> '[{\"name\": \"race\"}]'\n)\nOR EXISTS (SELECT FROM referrals_approval WHERE trial_id = NEW.id AND allows_strand)) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: strand_as_assessed' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="9aa64b2acbd5d9ce48e23bef1422a51a4093411e",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_strand_as_assessed_e759b",
                    table="referrals_trial",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="trial",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_trialevent" ("bcu_id", "closed_at", "closed_because", "closed_by_id", "commitment", "id", "locked_at", "locked_by_id", "name", "opened_at", "opened_by_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_at", "proposed_by_id", "protocol", "revealed_at", "revealed_by_id", "revealed_seed", "sealed_at", "sealed_by_id", "status") SELECT new_values."bcu_id", new_values."closed_at", new_values."closed_because", new_values."closed_by_id", new_values."commitment", new_values."id", new_values."locked_at", new_values."locked_by_id", new_values."name", new_values."opened_at", new_values."opened_by_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."proposed_at", new_values."proposed_by_id", new_values."protocol", new_values."revealed_at", new_values."revealed_by_id", new_values."revealed_seed", new_values."sealed_at", new_values."sealed_by_id", new_values."status" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="963bd1214f87713c3808eae1d879285ae08fe85a",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_f6f34",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_trial",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="trial",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_trialevent" ("bcu_id", "closed_at", "closed_because", "closed_by_id", "commitment", "id", "locked_at", "locked_by_id", "name", "opened_at", "opened_by_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "proposed_at", "proposed_by_id", "protocol", "revealed_at", "revealed_by_id", "revealed_seed", "sealed_at", "sealed_by_id", "status") SELECT new_values."bcu_id", new_values."closed_at", new_values."closed_because", new_values."closed_by_id", new_values."commitment", new_values."id", new_values."locked_at", new_values."locked_by_id", new_values."name", new_values."opened_at", new_values."opened_by_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."proposed_at", new_values."proposed_by_id", new_values."protocol", new_values."revealed_at", new_values."revealed_by_id", new_values."revealed_seed", new_values."sealed_at", new_values."sealed_by_id", new_values."status" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."bcu_id" IS DISTINCT FROM (new_values."bcu_id") OR old_values."closed_at" IS DISTINCT FROM (new_values."closed_at") OR old_values."closed_because" IS DISTINCT FROM (new_values."closed_because") OR old_values."closed_by_id" IS DISTINCT FROM (new_values."closed_by_id") OR old_values."commitment" IS DISTINCT FROM (new_values."commitment") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."locked_at" IS DISTINCT FROM (new_values."locked_at") OR old_values."locked_by_id" IS DISTINCT FROM (new_values."locked_by_id") OR old_values."name" IS DISTINCT FROM (new_values."name") OR old_values."opened_at" IS DISTINCT FROM (new_values."opened_at") OR old_values."opened_by_id" IS DISTINCT FROM (new_values."opened_by_id") OR old_values."proposed_at" IS DISTINCT FROM (new_values."proposed_at") OR old_values."proposed_by_id" IS DISTINCT FROM (new_values."proposed_by_id") OR old_values."protocol" IS DISTINCT FROM (new_values."protocol") OR old_values."revealed_at" IS DISTINCT FROM (new_values."revealed_at") OR old_values."revealed_by_id" IS DISTINCT FROM (new_values."revealed_by_id") OR old_values."revealed_seed" IS DISTINCT FROM (new_values."revealed_seed") OR old_values."sealed_at" IS DISTINCT FROM (new_values."sealed_at") OR old_values."sealed_by_id" IS DISTINCT FROM (new_values."sealed_by_id") OR old_values."status" IS DISTINCT FROM (new_values."status")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="5b4a52084e12870ce68d9c8491778a824cb3f0b8",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_0b938",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_trial",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "trial",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="approvals",
                        to="referrals.trial",
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=referrals.models.trials.ApprovalKind.as_choices, max_length=20),
                ),
                ("reference", models.CharField(max_length=60)),
                ("given_by", models.CharField(max_length=100)),
                ("given_on", models.DateField()),
                ("allows_strand", models.BooleanField(default=False)),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("trial", "kind"), name="approval_one_of_a_kind"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["chief_officer", "ethics", "data_protection"])),
                        name="approval_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reference", ""), _negated=True),
                            models.Q(("given_by", ""), _negated=True),
                        ),
                        name="approval_says_who_and_where",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("allows_strand", False), ("kind", "data_protection"), _connector="OR"
                        ),
                        name="approval_of_a_strand_is_data_protections",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="of_drafts_alone",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Rows of a trial are added, changed or taken away only while it is a draft.\nIF EXISTS (\n    SELECT FROM referrals_trial WHERE status <> 'draft'\n    AND id IN (\n        CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.trial_id END,\n        CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE NEW.trial_id END\n    )\n) THEN\n    RAISE EXCEPTION 'refused: the trial is sealed' USING ERRCODE = 'check_violation';\nEND IF;\nIF TG_OP = 'DELETE' THEN RETURN OLD; END IF;\nRETURN NEW;",
                    hash="c6ed6d1509af08da386c4f2a6fdee7c7fc08279f",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_of_drafts_alone_d81f1",
                    table="referrals_approval",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_approvalevent" ("allows_strand", "given_by", "given_on", "id", "kind", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "recorded_at", "recorded_by_id", "reference", "trial_id") SELECT new_values."allows_strand", new_values."given_by", new_values."given_on", new_values."id", new_values."kind", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."recorded_at", new_values."recorded_by_id", new_values."reference", new_values."trial_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="e76a15be2e46d72eb8f777b31898a62bb126ffa7",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_6cfc0",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_approval",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_approvalevent" ("allows_strand", "given_by", "given_on", "id", "kind", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "recorded_at", "recorded_by_id", "reference", "trial_id") SELECT new_values."allows_strand", new_values."given_by", new_values."given_on", new_values."id", new_values."kind", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."recorded_at", new_values."recorded_by_id", new_values."reference", new_values."trial_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="18e9b26dc2674f3b59b69b5cb318215a3dcb4096",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_6a1f6",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_approval",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Registrar",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "trial",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="registrars",
                        to="referrals.trial",
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("email", models.EmailField(max_length=254)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("trial", "email"), name="registrar_once_in_a_trial")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="registrar",
            trigger=pgtrigger.compiler.Trigger(
                name="of_drafts_alone",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Rows of a trial are added, changed or taken away only while it is a draft.\nIF EXISTS (\n    SELECT FROM referrals_trial WHERE status <> 'draft'\n    AND id IN (\n        CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.trial_id END,\n        CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE NEW.trial_id END\n    )\n) THEN\n    RAISE EXCEPTION 'refused: the trial is sealed' USING ERRCODE = 'check_violation';\nEND IF;\nIF TG_OP = 'DELETE' THEN RETURN OLD; END IF;\nRETURN NEW;",
                    hash="4b0a87dd9b4b75c94d0b4960f9f66e6f85c72cf0",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_of_drafts_alone_d5542",
                    table="referrals_registrar",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Pause",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "trial",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pauses",
                        to="referrals.trial",
                    ),
                ),
                ("reason", models.CharField(max_length=300)),
                (
                    "meanwhile",
                    models.CharField(choices=referrals.models.places.Mode.as_choices, max_length=20),
                ),
                ("paused_at", models.DateTimeField()),
                (
                    "paused_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("resumed_at", models.DateTimeField(null=True)),
                (
                    "resumed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resumed_at__isnull", True)),
                        fields=("trial",),
                        name="pause_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("resumed_at__isnull", True), ("resumed_by__isnull", True)),
                            models.Q(("resumed_at__isnull", False), ("resumed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="pause_resumed_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("resumed_at__isnull", True),
                            ("resumed_at__gte", models.F("paused_at")),
                            _connector="OR",
                        ),
                        name="pause_ends_after_it_began",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("meanwhile__in", ["src_for_all", "not_started"]),
                            models.Q(("reason", ""), _negated=True),
                        ),
                        name="pause_says_why_and_what_meanwhile",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pause",
            trigger=pgtrigger.compiler.Trigger(
                name="is_not_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="cace30226e6b2891469dc80bbe4544523f4dbfab",
                    operation="DELETE",
                    pgid="pgtrigger_is_not_deleted_97e6c",
                    table="referrals_pause",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pause",
            trigger=pgtrigger.compiler.Trigger(
                name="ends_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."resumed_at" IS NOT NULL OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."meanwhile" IS DISTINCT FROM (NEW."meanwhile") OR OLD."paused_at" IS DISTINCT FROM (NEW."paused_at") OR OLD."paused_by_id" IS DISTINCT FROM (NEW."paused_by_id") OR OLD."trial_id" IS DISTINCT FROM (NEW."trial_id"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="d0dc3716f615b483897f15721a290b0a98a78e65",
                    operation="UPDATE",
                    pgid="pgtrigger_ends_once_72aa8",
                    table="referrals_pause",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ApprovalEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.approval",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "trial",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.trial",
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=referrals.models.trials.ApprovalKind.as_choices, max_length=20),
                ),
                ("reference", models.CharField(max_length=60)),
                ("given_by", models.CharField(max_length=100)),
                ("given_on", models.DateField()),
                ("allows_strand", models.BooleanField(default=False)),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approvalevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="fdf694099ed16956ae21a9eca56d52f813c5f180",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_8cd70",
                    table="referrals_approvalevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="TrialEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.trial",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "bcu",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.bcu",
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=referrals.models.trials.TrialStatus.as_choices, default="draft", max_length=20
                    ),
                ),
                ("protocol", models.JSONField(default=dict)),
                ("commitment", models.CharField(blank=True, max_length=64)),
                ("revealed_seed", models.CharField(blank=True, max_length=64)),
                ("proposed_at", models.DateTimeField(null=True)),
                (
                    "proposed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("sealed_at", models.DateTimeField(null=True)),
                (
                    "sealed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("opened_at", models.DateTimeField(null=True)),
                (
                    "opened_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("closed_because", models.CharField(blank=True, max_length=300)),
                ("locked_at", models.DateTimeField(null=True)),
                (
                    "locked_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("revealed_at", models.DateTimeField(null=True)),
                (
                    "revealed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="trialevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="7dc57be97aa83007e44f94dfee775f2d7156260f",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_c7898",
                    table="referrals_trialevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="TrialNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "trial",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="referrals.trial",
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=referrals.models.trials.NoticeKind.as_choices, max_length=20),
                ),
                ("on", models.DateField()),
                ("content", models.JSONField()),
                ("noticed_at", models.DateTimeField()),
                (
                    "noticed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["trial", "kind", "-id"], name="trial_notice_latest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["trial_sealed", "chain_head", "outcomes_locked", "trial_revealed"])
                        ),
                        name="trial_notice_kind_is_known",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="trialnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="edf82fffb03ddb67cdcaf7e28a4a0e88ded4e795",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_d5b32",
                    table="referrals_trialnotice",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Ward",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=9, unique=True)),
                ("name", models.CharField(max_length=100)),
                (
                    "borough",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wards",
                        to="referrals.borough",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="wards", to="referrals.team"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["name", "id"], name="ward_by_name")],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ward",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_wardevent" ("borough_id", "code", "id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "team_id") SELECT new_values."borough_id", new_values."code", new_values."id", new_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."team_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="d8642a403d64adcf2e40527094ca702edac2c55d",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_98a67",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_ward",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ward",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_wardevent" ("borough_id", "code", "id", "name", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "team_id") SELECT new_values."borough_id", new_values."code", new_values."id", new_values."name", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."team_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="44b63e0f61529fccc75af87500e840ba8b3b32c6",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_e3461",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_ward",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Case",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "bcu",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="referrals.bcu",
                    ),
                ),
                ("crime_reference", models.CharField(max_length=40, unique=True)),
                ("reported_at", models.DateTimeField()),
                ("occurred_at", models.DateTimeField(null=True)),
                ("offence", models.CharField(max_length=200)),
                (
                    "strands",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=referrals.models.cases.Strand.as_choices, max_length=20
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                ("is_crime", models.BooleanField()),
                (
                    "crime_status",
                    models.CharField(
                        choices=referrals.models.cases.CrimeStatus.as_choices,
                        db_default="recorded",
                        default="recorded",
                        max_length=20,
                    ),
                ),
                ("hate_flag", models.BooleanField(db_default=True, default=True)),
                (
                    "victim_type",
                    models.CharField(choices=referrals.models.cases.VictimType.as_choices, max_length=20),
                ),
                (
                    "ward",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cases",
                        to="referrals.ward",
                    ),
                ),
                ("repeat_victim", models.BooleanField(default=False)),
                ("victim_under_18", models.BooleanField(default=False)),
                ("officer_in_case", models.CharField(blank=True, max_length=60)),
                ("incident_hash", models.CharField(blank=True, max_length=64)),
                ("victim_hash", models.CharField(blank=True, max_length=64)),
                (
                    "restrictions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=referrals.models.cases.Restriction.as_choices, max_length=20
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                ("restrictions_set_at", models.DateTimeField(null=True)),
                (
                    "restrictions_set_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("imported_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=referrals.models.cases.CaseState.as_choices,
                        db_default="waiting",
                        default="waiting",
                        max_length=20,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("decided_at__isnull", True)),
                        fields=["bcu", "reported_at", "id"],
                        name="case_awaiting_decision",
                    ),
                    models.Index(fields=["bcu", "-reported_at", "-id"], name="case_latest"),
                    models.Index(fields=["-reported_at", "-id"], name="case_latest_of_several"),
                    models.Index(fields=["bcu", "state", "-reported_at", "-id"], name="case_latest_by_state"),
                    models.Index(fields=["ward", "-reported_at", "-id", "state"], name="case_latest_by_ward"),
                    models.Index(
                        condition=models.Q(("incident_hash", ""), _negated=True),
                        fields=["incident_hash"],
                        name="case_incident",
                    ),
                    models.Index(
                        condition=models.Q(("victim_hash", ""), _negated=True),
                        fields=["victim_hash"],
                        name="case_victim",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("state__in", ["waiting", "referred"])),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("state__in", ["waiting", "referred", "usual_service", "not_suitable"]),
                                models.Q(("state", "waiting"), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="case_waits_until_it_is_decided",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("restrictions_set_at__isnull", True), ("restrictions_set_by__isnull", True)
                            ),
                            models.Q(
                                ("restrictions_set_at__isnull", False), ("restrictions_set_by__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="case_restrictions_set_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "strands__contained_by",
                                ["race", "religion", "sexual_orientation", "disability", "transgender"],
                            )
                        ),
                        name="case_strands_are_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("crime_status__in", ["recorded", "cancelled", "transferred"])),
                        name="case_crime_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "restrictions__contained_by",
                                [
                                    "no_home_visit",
                                    "no_voicemail",
                                    "victim_only",
                                    "two_officers",
                                    "through_guardian",
                                    "safeguarding_first",
                                    "interpreter",
                                ],
                            )
                        ),
                        name="case_restrictions_are_known",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_state",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."decided_at" IS DISTINCT FROM (NEW."decided_at") OR OLD."state" IS DISTINCT FROM (NEW."state"))',
                    func="NEW.state = \n        CASE WHEN EXISTS (SELECT FROM referrals_referral WHERE case_id = NEW.id) THEN 'referred'\n        WHEN NEW.decided_at IS NULL THEN 'waiting'\n        WHEN (SELECT suitable FROM referrals_decision WHERE case_id = NEW.id) THEN 'usual_service'\n        ELSE 'not_suitable' END\n    ;\nRETURN NEW;",
                    hash="6c2c09c1a65ffd8ffe2711ecd0f90cedb8492744",
                    operation="UPDATE",
                    pgid="pgtrigger_keep_state_b29ae",
                    table="referrals_case",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="decided_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."decided_at" IS NOT NULL AND OLD."decided_at" IS DISTINCT FROM (NEW."decided_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="2ada442d881f0010fc51adf8d2a028c16196ff1d",
                    operation="UPDATE",
                    pgid="pgtrigger_decided_once_3c36d",
                    table="referrals_case",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_caseevent" ("bcu_id", "changed_at", "crime_reference", "crime_status", "decided_at", "hate_flag", "is_crime", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reported_at", "restrictions", "restrictions_set_at", "restrictions_set_by_id", "ward_id") SELECT new_values."bcu_id", new_values."changed_at", new_values."crime_reference", new_values."crime_status", new_values."decided_at", new_values."hate_flag", new_values."is_crime", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."reported_at", new_values."restrictions", new_values."restrictions_set_at", new_values."restrictions_set_by_id", new_values."ward_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="12cede12dc455b5e6fa9ecb76efeddab3efd7378",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_9ac4b",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_case",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_caseevent" ("bcu_id", "changed_at", "crime_reference", "crime_status", "decided_at", "hate_flag", "is_crime", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reported_at", "restrictions", "restrictions_set_at", "restrictions_set_by_id", "ward_id") SELECT new_values."bcu_id", new_values."changed_at", new_values."crime_reference", new_values."crime_status", new_values."decided_at", new_values."hate_flag", new_values."is_crime", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."reported_at", new_values."restrictions", new_values."restrictions_set_at", new_values."restrictions_set_by_id", new_values."ward_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."bcu_id" IS DISTINCT FROM (new_values."bcu_id") OR old_values."changed_at" IS DISTINCT FROM (new_values."changed_at") OR old_values."crime_reference" IS DISTINCT FROM (new_values."crime_reference") OR old_values."crime_status" IS DISTINCT FROM (new_values."crime_status") OR old_values."decided_at" IS DISTINCT FROM (new_values."decided_at") OR old_values."hate_flag" IS DISTINCT FROM (new_values."hate_flag") OR old_values."is_crime" IS DISTINCT FROM (new_values."is_crime") OR old_values."reported_at" IS DISTINCT FROM (new_values."reported_at") OR old_values."restrictions" IS DISTINCT FROM (new_values."restrictions") OR old_values."restrictions_set_at" IS DISTINCT FROM (new_values."restrictions_set_at") OR old_values."restrictions_set_by_id" IS DISTINCT FROM (new_values."restrictions_set_by_id") OR old_values."ward_id" IS DISTINCT FROM (new_values."ward_id")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="cbeaed50f3be30f070211e733d0d7f6c81d71b0d",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_789c0",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_case",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "trial",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="referrals.trial",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("unit", models.CharField(max_length=32)),
                ("stratum", models.CharField(blank=True, max_length=100)),
                ("levels", models.JSONField(default=dict)),
                ("position", models.PositiveIntegerField(null=True)),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocation",
                        to="referrals.case",
                    ),
                ),
                (
                    "follows",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="followers",
                        to="referrals.allocation",
                    ),
                ),
                ("arm", models.CharField(choices=referrals.models.allocations.Arm.as_choices, max_length=10)),
                (
                    "submission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="referrals.submission",
                    ),
                ),
                ("allocated_at", models.DateTimeField()),
                ("salt", models.CharField(max_length=32)),
                ("case_digest", models.CharField(max_length=64)),
                ("moment_digest", models.CharField(max_length=64)),
                ("previous_hash", models.CharField(blank=True, max_length=64)),
                ("row_hash", models.CharField(max_length=64)),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("arm", "control"), ("position__isnull", False)),
                        fields=["trial", "allocated_at", "id"],
                        name="allocation_control_by_time",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("trial", "number"), name="allocation_number_once"),
                    models.UniqueConstraint(
                        fields=("trial", "stratum", "position"), name="allocation_position_once"
                    ),
                    models.UniqueConstraint(
                        fields=("trial", "previous_hash"), name="allocation_chain_never_forks"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("follows__isnull", True)),
                        fields=("trial", "unit"),
                        name="allocation_unit_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("follows__isnull", False), ("position__isnull", True)),
                            models.Q(("follows__isnull", True), ("position__isnull", False)),
                            _connector="OR",
                        ),
                        name="allocation_has_a_position_or_follows",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("arm__in", ["src", "control"])), name="allocation_arm_is_known"
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="allocation",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="8690926ae26044d588c1dca8c633c22ae2847aec",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_0b109",
                    table="referrals_allocation",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="allocation",
            trigger=pgtrigger.compiler.Trigger(
                name="follows_the_first",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (-- A linked report stands in trial, arm and unit of the first report of its unit.\nNEW.follows_id IS NULL OR EXISTS (\n    SELECT FROM referrals_allocation AS first\n    WHERE first.id = NEW.follows_id AND first.follows_id IS NULL\n        AND first.trial_id = NEW.trial_id AND first.arm = NEW.arm\n        AND first.unit = NEW.unit\n)) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: follows_the_first' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="7a50059393e19b46071c8bdaa9be4896c01ddf73",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_follows_the_first_6d297",
                    table="referrals_allocation",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="allocation",
            trigger=pgtrigger.compiler.Trigger(
                name="only_while_recruiting",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (-- A first report only while the trial recruits and is not paused; a linked one also once recruitment is closed.\nEXISTS (\n    SELECT FROM referrals_trial AS trial\n    WHERE trial.id = NEW.trial_id\n        AND trial.status IN ('recruiting', 'closed')\n        AND (\n            NEW.follows_id IS NOT NULL\n            OR trial.status = 'recruiting' AND NOT EXISTS (\n                SELECT FROM referrals_pause\n                WHERE trial_id = trial.id AND resumed_at IS NULL\n            )\n        )\n)) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: only_while_recruiting' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="18b937bd51885330cc5ec81888aa946940ebe98c",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_only_while_recruiting_b99c6",
                    table="referrals_allocation",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ControlCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "allocation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="control_check",
                        to="referrals.allocation",
                    ),
                ),
                ("contacted", models.BooleanField()),
                ("checked_at", models.DateTimeField()),
                (
                    "checked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="controlcheck",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="2dc81596b2983794d7d44460851f0b7e6378b9ec",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_3dbb3",
                    table="referrals_controlcheck",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="controlcheck",
            trigger=pgtrigger.compiler.Trigger(
                name="of_a_control_unit",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (-- Only the first report of a control unit is looked up, after its follow-up and before outcomes are locked.\nEXISTS (\n    SELECT FROM referrals_allocation AS control\n    JOIN referrals_trial AS trial ON trial.id = control.trial_id\n    WHERE control.id = NEW.allocation_id AND control.arm = 'control'\n        AND control.position IS NOT NULL\n        AND trial.status IN ('recruiting', 'closed')\n        AND NEW.checked_at >= control.allocated_at\n        + make_interval(days => (trial.protocol->>'follow_up_days')::int)\n)) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: of_a_control_unit' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="c2880d922097915a417f8e90e56bafdf720e2aca",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_of_a_control_unit_7b948",
                    table="referrals_controlcheck",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="CrimeRecordEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="crime_record_events",
                        to="referrals.case",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=referrals.models.cases.CrimeRecordKind.as_choices, max_length=20
                    ),
                ),
                ("noticed_at", models.DateTimeField()),
                (
                    "noticed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("kind", "reinstated")),
                        fields=["-noticed_at"],
                        name="crime_record_reinstated",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["cancelled", "transferred", "reclassified", "unflagged", "reinstated"],
                            )
                        ),
                        name="crime_record_kind_is_known",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="crimerecordevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="664c2b5968a4e80d89c587f258a43987d3278ff9",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_c4829",
                    table="referrals_crimerecordevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Deviation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "allocation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deviations",
                        to="referrals.allocation",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=referrals.models.allocations.DeviationKind.as_choices, max_length=20
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        blank=True,
                        choices=referrals.models.allocations.NotDelivered.as_choices,
                        max_length=20,
                    ),
                ),
                ("ordered_by", models.CharField(blank=True, max_length=60)),
                ("happened_on", models.DateField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "withdraws",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawn_by",
                        to="referrals.deviation",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["by_accident", "for_safety", "not_delivered", "in_error", "wrong_ward"],
                            )
                        ),
                        name="deviation_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "not_delivered"),
                                (
                                    "why__in",
                                    [
                                        "not_reached",
                                        "declined",
                                        "unsafe",
                                        "no_officer",
                                        "overlooked",
                                        "ruled_out",
                                        "other",
                                    ],
                                ),
                            ),
                            models.Q(models.Q(("kind", "not_delivered"), _negated=True), ("why", "")),
                            _connector="OR",
                        ),
                        name="deviation_says_why_src_was_not_delivered",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "for_safety"), models.Q(("ordered_by", ""), _negated=True)),
                            models.Q(models.Q(("kind", "for_safety"), _negated=True), ("ordered_by", "")),
                            _connector="OR",
                        ),
                        name="deviation_says_who_ordered_contact_for_safety",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="deviation",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="c56efdd404976df2edb4df5e0c2a9f30dea6a5d8",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_a1692",
                    table="referrals_deviation",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="deviation",
            trigger=pgtrigger.compiler.Trigger(
                name="of_its_arm",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (\n                    NEW.kind IN ('in_error', 'wrong_ward') OR EXISTS (\n                        SELECT FROM referrals_allocation\n                        WHERE id = NEW.allocation_id\n                            AND arm = CASE NEW.kind WHEN 'not_delivered' THEN 'src' ELSE 'control' END\n                    )\n                ) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: of_its_arm' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="e6232417dd7aa6f9f1d2c53068324df7750272e1",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_of_its_arm_25d21",
                    table="referrals_deviation",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="deviation",
            trigger=pgtrigger.compiler.Trigger(
                name="withdraws_its_like",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (\n                    NEW.withdraws_id IS NULL OR EXISTS (\n                        SELECT FROM referrals_deviation AS other\n                        WHERE other.id = NEW.withdraws_id AND other.withdraws_id IS NULL\n                            AND other.allocation_id = NEW.allocation_id AND other.kind = NEW.kind\n                    )\n                ) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: withdraws_its_like' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="14a34ade9d4b42cfd1db35c9ff085fbc0fa5889d",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_withdraws_its_like_d913c",
                    table="referrals_deviation",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="PersonalText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="texts", to="referrals.case"
                    ),
                ),
                ("kind", models.CharField(choices=referrals.models.cases.TextKind.as_choices, max_length=20)),
                ("body", models.TextField(blank=True)),
                ("changed_at", models.DateTimeField()),
                ("erased_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "attempt_note"), _negated=True),
                        fields=("case", "kind"),
                        name="one_text_of_a_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("erased_at__isnull", True), ("body", ""), _connector="OR"),
                        name="erased_text_is_empty",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="personaltext",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_personaltextevent" ("case_id", "changed_at", "erased_at", "id", "kind", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."case_id", new_values."changed_at", new_values."erased_at", new_values."id", new_values."kind", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="5d74e2d854b24123f97c6467faaa3cf83a794d1d",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_6ea56",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_personaltext",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="personaltext",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_personaltextevent" ("case_id", "changed_at", "erased_at", "id", "kind", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."case_id", new_values."changed_at", new_values."erased_at", new_values."id", new_values."kind", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."case_id" IS DISTINCT FROM (new_values."case_id") OR old_values."changed_at" IS DISTINCT FROM (new_values."changed_at") OR old_values."erased_at" IS DISTINCT FROM (new_values."erased_at") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."kind" IS DISTINCT FROM (new_values."kind")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="d46f140e93fb246be2f5d4361cdcbeb3901dfc63",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_4b78e",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_personaltext",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="PersonalTextEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.personaltext",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "case",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.case",
                    ),
                ),
                ("kind", models.CharField(choices=referrals.models.cases.TextKind.as_choices, max_length=20)),
                ("changed_at", models.DateTimeField()),
                ("erased_at", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="personaltextevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="2dacff8454e67ccc4f8eb37b7e05be7e88a71f5d",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_6a31e",
                    table="referrals_personaltextevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Referral",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.CharField(max_length=20, unique=True)),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referral",
                        to="referrals.case",
                    ),
                ),
                (
                    "allocation",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referral",
                        to="referrals.allocation",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="referrals.team",
                    ),
                ),
                (
                    "ward",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="referrals",
                        to="referrals.ward",
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=referrals.models.referrals.ReferralStatus.as_choices,
                        default="open",
                        max_length=10,
                    ),
                ),
                ("flag_confirmed_at", models.DateTimeField(null=True)),
                (
                    "flag_confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("ruled_out_since", models.DateTimeField(null=True)),
                ("flag_removed_at", models.DateTimeField(null=True)),
                (
                    "flag_removed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("taken_at", models.DateTimeField(null=True)),
                (
                    "taken_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("contacted_at", models.DateTimeField(null=True)),
                (
                    "close_reason",
                    models.CharField(
                        blank=True, choices=referrals.models.referrals.CloseReason.as_choices, max_length=20
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "open")),
                        fields=["team", "due_at", "id"],
                        name="referral_open_by_team",
                    ),
                    models.Index(
                        condition=models.Q(("status", "open")),
                        fields=["due_at", "id"],
                        name="referral_open_by_due",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("flag_confirmed_at__isnull", True), ("ruled_out_since__isnull", True)
                        ),
                        fields=["made_at", "id"],
                        name="referral_flag_to_confirm",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("flag_confirmed_at__isnull", False),
                            ("flag_removed_at__isnull", True),
                            ("ruled_out_since__isnull", False),
                        ),
                        fields=["ruled_out_since", "id"],
                        name="referral_flag_to_remove",
                    ),
                    models.Index(fields=["ward", "due_at"], name="referral_by_ward"),
                    models.Index(
                        condition=models.Q(("closed_at__isnull", False)),
                        fields=["team", "-closed_at", "-id"],
                        name="referral_ended_by_team",
                    ),
                    models.Index(
                        condition=models.Q(("closed_at__isnull", False)),
                        fields=["due_at", "ward"],
                        name="referral_ended_by_due",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("flag_confirmed_at__isnull", True), ("flag_confirmed_by__isnull", True)
                            ),
                            models.Q(
                                ("flag_confirmed_at__isnull", False), ("flag_confirmed_by__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="referral_flag_confirmed_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("flag_removed_at__isnull", True), ("flag_removed_by__isnull", True)),
                            models.Q(("flag_removed_at__isnull", False), ("flag_removed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="referral_flag_removed_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("flag_removed_at__isnull", True),
                            models.Q(
                                ("flag_confirmed_at__isnull", False), ("ruled_out_since__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="referral_flag_removed_was_set_and_had_to_go",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("taken_at__isnull", True), ("taken_by__isnull", True)),
                            models.Q(("taken_at__isnull", False), ("taken_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="referral_taken_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("closed_by__isnull", True)),
                            models.Q(("closed_at__isnull", False), ("closed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="referral_closed_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("close_reason", ""),
                                ("closed_at__isnull", True),
                                ("contacted_at__isnull", True),
                                ("status", "open"),
                            ),
                            models.Q(
                                ("close_reason", ""),
                                ("closed_at__isnull", False),
                                ("contacted_at__isnull", False),
                                ("status", "completed"),
                            ),
                            models.Q(
                                (
                                    "close_reason__in",
                                    [
                                        "declined",
                                        "wrong_details",
                                        "unsafe",
                                        "no_reply",
                                        "cancelled",
                                        "transferred",
                                        "reclassified",
                                        "unflagged",
                                    ],
                                ),
                                ("closed_at__isnull", False),
                                ("contacted_at__isnull", True),
                                ("status", "closed"),
                            ),
                            _connector="OR",
                        ),
                        name="referral_status_agrees_with_its_dates",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("due_at__gt", models.F("made_at"))),
                        name="referral_due_after_it_is_made",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referral",
            trigger=pgtrigger.compiler.Trigger(
                name="count_contacts_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Adds the differences between two counts of contacts, and nothing where there is none.\nINSERT INTO referrals_contactcount (ward_id, due_on, in_time, late, closed_without_contact)\nSELECT ward_id, due_on, sum(in_time), sum(late), sum(closed_without_contact)\nFROM (\n    SELECT * FROM (-- How those of these referrals that have ended did so, by ward and due day in London.\nSELECT ward_id, (due_at AT TIME ZONE 'Europe/London')::date AS due_on,\n    count(*) FILTER (WHERE contacted_at <= due_at) AS in_time,\n    count(*) FILTER (WHERE contacted_at > due_at) AS late,\n    count(*) FILTER (WHERE contacted_at IS NULL) AS closed_without_contact\nFROM new_rows WHERE closed_at IS NOT NULL GROUP BY 1, 2) AS more\n    UNION ALL\n    SELECT ward_id, due_on, -in_time, -late, -closed_without_contact FROM (SELECT ward_id, due_on, in_time, late, closed_without_contact FROM referrals_contactcount WHERE false) AS less\n) AS changed\nGROUP BY 1, 2 HAVING sum(in_time) <> 0 OR sum(late) <> 0 OR sum(closed_without_contact) <> 0;\nRETURN NULL;",
                    hash="d8c48dee48bd7d684b14a8a94681fb6ebc90954c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_count_contacts_insert_02dfd",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="referrals_referral",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referral",
            trigger=pgtrigger.compiler.Trigger(
                name="count_contacts_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Adds the differences between two counts of contacts, and nothing where there is none.\nINSERT INTO referrals_contactcount (ward_id, due_on, in_time, late, closed_without_contact)\nSELECT ward_id, due_on, sum(in_time), sum(late), sum(closed_without_contact)\nFROM (\n    SELECT * FROM (-- How those of these referrals that have ended did so, by ward and due day in London.\nSELECT ward_id, (due_at AT TIME ZONE 'Europe/London')::date AS due_on,\n    count(*) FILTER (WHERE contacted_at <= due_at) AS in_time,\n    count(*) FILTER (WHERE contacted_at > due_at) AS late,\n    count(*) FILTER (WHERE contacted_at IS NULL) AS closed_without_contact\nFROM new_rows WHERE closed_at IS NOT NULL GROUP BY 1, 2) AS more\n    UNION ALL\n    SELECT ward_id, due_on, -in_time, -late, -closed_without_contact FROM (-- How those of these referrals that have ended did so, by ward and due day in London.\nSELECT ward_id, (due_at AT TIME ZONE 'Europe/London')::date AS due_on,\n    count(*) FILTER (WHERE contacted_at <= due_at) AS in_time,\n    count(*) FILTER (WHERE contacted_at > due_at) AS late,\n    count(*) FILTER (WHERE contacted_at IS NULL) AS closed_without_contact\nFROM old_rows WHERE closed_at IS NOT NULL GROUP BY 1, 2) AS less\n) AS changed\nGROUP BY 1, 2 HAVING sum(in_time) <> 0 OR sum(late) <> 0 OR sum(closed_without_contact) <> 0;\nRETURN NULL;",
                    hash="7d225e9af6d0b597ec2be9382ca9e2809fb0605a",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_count_contacts_update_b63dc",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="referrals_referral",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referral",
            trigger=pgtrigger.compiler.Trigger(
                name="count_contacts_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Adds the differences between two counts of contacts, and nothing where there is none.\nINSERT INTO referrals_contactcount (ward_id, due_on, in_time, late, closed_without_contact)\nSELECT ward_id, due_on, sum(in_time), sum(late), sum(closed_without_contact)\nFROM (\n    SELECT * FROM (SELECT ward_id, due_on, in_time, late, closed_without_contact FROM referrals_contactcount WHERE false) AS more\n    UNION ALL\n    SELECT ward_id, due_on, -in_time, -late, -closed_without_contact FROM (-- How those of these referrals that have ended did so, by ward and due day in London.\nSELECT ward_id, (due_at AT TIME ZONE 'Europe/London')::date AS due_on,\n    count(*) FILTER (WHERE contacted_at <= due_at) AS in_time,\n    count(*) FILTER (WHERE contacted_at > due_at) AS late,\n    count(*) FILTER (WHERE contacted_at IS NULL) AS closed_without_contact\nFROM old_rows WHERE closed_at IS NOT NULL GROUP BY 1, 2) AS less\n) AS changed\nGROUP BY 1, 2 HAVING sum(in_time) <> 0 OR sum(late) <> 0 OR sum(closed_without_contact) <> 0;\nRETURN NULL;",
                    hash="858db199cdc155db2b5095b7a5bf3f6772ab6f0a",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_count_contacts_delete_36cb0",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="referrals_referral",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referral",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_state_of_case_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Gives the row's case a state that it may have now; the trigger of the case table writes the true one.\nIF EXISTS (\n    SELECT FROM referrals_case\n    WHERE id = NEW.case_id AND true AND state <> 'referred'\n) THEN\n    UPDATE referrals_case SET state = 'referred' WHERE id = NEW.case_id;\nEND IF;\nRETURN NULL;",
                    hash="304b4b141ae7a726f5549875e1b6ce51979488b6",
                    operation="INSERT",
                    pgid="pgtrigger_keep_state_of_case_insert_b11fd",
                    table="referrals_referral",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referral",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_state_of_case_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Gives the row's case a state that it may have now; the trigger of the case table writes the true one.\nIF EXISTS (\n    SELECT FROM referrals_case\n    WHERE id = OLD.case_id AND true AND state <> 'waiting'\n) THEN\n    UPDATE referrals_case SET state = 'waiting' WHERE id = OLD.case_id;\nEND IF;\nRETURN NULL;",
                    hash="417f6a0219b900f8ff346b016e3aef8e16b3aa93",
                    operation="DELETE",
                    pgid="pgtrigger_keep_state_of_case_delete_4431f",
                    table="referrals_referral",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referral",
            trigger=pgtrigger.compiler.Trigger(
                name="never_of_a_control",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (-- A case that was allocated is referred only in the SRC arm, and under its own allocation.\nCASE WHEN NEW.allocation_id IS NULL\nTHEN NOT EXISTS (SELECT FROM referrals_allocation WHERE case_id = NEW.case_id)\nELSE EXISTS (\n    SELECT FROM referrals_allocation\n    WHERE id = NEW.allocation_id AND case_id = NEW.case_id AND arm = 'src'\n)\nEND) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: never_of_a_control' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="4c62686a9b1ba7e3504d8706e9f4db9131fb43ed",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_never_of_a_control_10b5d",
                    table="referrals_referral",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referral",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_referralevent" ("allocation_id", "case_id", "close_reason", "closed_at", "closed_by_id", "contacted_at", "due_at", "flag_confirmed_at", "flag_confirmed_by_id", "flag_removed_at", "flag_removed_by_id", "id", "made_at", "made_by_id", "number", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "ruled_out_since", "status", "taken_at", "taken_by_id", "team_id", "ward_id") SELECT new_values."allocation_id", new_values."case_id", new_values."close_reason", new_values."closed_at", new_values."closed_by_id", new_values."contacted_at", new_values."due_at", new_values."flag_confirmed_at", new_values."flag_confirmed_by_id", new_values."flag_removed_at", new_values."flag_removed_by_id", new_values."id", new_values."made_at", new_values."made_by_id", new_values."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."ruled_out_since", new_values."status", new_values."taken_at", new_values."taken_by_id", new_values."team_id", new_values."ward_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="ec22165507dc59c197eabd3c2dbd760821a3d719",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_a74c8",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_referral",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referral",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_referralevent" ("allocation_id", "case_id", "close_reason", "closed_at", "closed_by_id", "contacted_at", "due_at", "flag_confirmed_at", "flag_confirmed_by_id", "flag_removed_at", "flag_removed_by_id", "id", "made_at", "made_by_id", "number", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "ruled_out_since", "status", "taken_at", "taken_by_id", "team_id", "ward_id") SELECT new_values."allocation_id", new_values."case_id", new_values."close_reason", new_values."closed_at", new_values."closed_by_id", new_values."contacted_at", new_values."due_at", new_values."flag_confirmed_at", new_values."flag_confirmed_by_id", new_values."flag_removed_at", new_values."flag_removed_by_id", new_values."id", new_values."made_at", new_values."made_by_id", new_values."number", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."ruled_out_since", new_values."status", new_values."taken_at", new_values."taken_by_id", new_values."team_id", new_values."ward_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="7dc7161b4be3d75fbc28e5bc875529214164d818",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_223e7",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_referral",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ContactAttempt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.UUIDField(default=uuid.uuid4, unique=True)),
                (
                    "referral",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="referrals.referral",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("logged_at", models.DateTimeField()),
                (
                    "method",
                    models.CharField(choices=referrals.models.contact.Method.as_choices, max_length=20),
                ),
                ("with_interpreter", models.BooleanField(default=False)),
                (
                    "result",
                    models.CharField(choices=referrals.models.contact.Result.as_choices, max_length=20),
                ),
                ("barred_method", models.BooleanField(default=False)),
                ("risk_assessment", models.BooleanField(default=False)),
                ("support_offered", models.BooleanField(default=False)),
                ("noted_on_record", models.BooleanField(default=False)),
                (
                    "note",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempt",
                        to="referrals.personaltext",
                    ),
                ),
                (
                    "withdraws",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="withdrawn_by",
                        to="referrals.contactattempt",
                    ),
                ),
                (
                    "earlier_reason",
                    models.CharField(
                        blank=True, choices=referrals.models.referrals.CloseReason.as_choices, max_length=20
                    ),
                ),
                ("earlier_closed_at", models.DateTimeField(null=True)),
                (
                    "earlier_closed_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [models.Index(fields=["referral", "made_at", "id"], name="attempt_by_referral")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("made_at__lte", models.F("logged_at"))),
                        name="attempt_is_not_in_the_future",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("earlier_closed_at__isnull", True), ("earlier_closed_by__isnull", True)
                            ),
                            models.Q(
                                ("earlier_closed_at__isnull", False), ("earlier_closed_by__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="attempt_earlier_closed_at_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("earlier_closed_at__isnull", True), ("earlier_reason", "")),
                            models.Q(
                                ("earlier_closed_at__isnull", False),
                                (
                                    "earlier_reason__in",
                                    [
                                        "declined",
                                        "wrong_details",
                                        "unsafe",
                                        "no_reply",
                                        "cancelled",
                                        "transferred",
                                        "reclassified",
                                        "unflagged",
                                    ],
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="attempt_keeps_a_whole_closure_or_none",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="contactattempt",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="8bf42b503bb00fcd5ed0a1d383cb2c9058b5f136",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_79536",
                    table="referrals_contactattempt",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="contactattempt",
            trigger=pgtrigger.compiler.Trigger(
                name="keeps_the_closure_it_replaces",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (-- A contact made on a closed referral keeps how that was closed; no other attempt keeps a closure.\nCASE WHEN NEW.result = 'contact_made' AND NEW.withdraws_id IS NULL\n    AND EXISTS (SELECT FROM referrals_referral WHERE id = NEW.referral_id AND status = 'closed')\nTHEN EXISTS (\n    SELECT FROM referrals_referral\n    WHERE id = NEW.referral_id AND close_reason = NEW.earlier_reason\n        AND closed_at = NEW.earlier_closed_at AND closed_by_id = NEW.earlier_closed_by_id\n)\nELSE NEW.earlier_reason = ''\nEND) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: keeps_the_closure_it_replaces' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="f4d051372789b2a70a6496e12a41788fb80513a8",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_keeps_the_closure_it_replaces_c6356",
                    table="referrals_contactattempt",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="follow_ups",
                        to="referrals.referral",
                    ),
                ),
                (
                    "attempt",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="follow_ups",
                        to="referrals.contactattempt",
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=referrals.models.contact.FollowUpKind.as_choices, max_length=20),
                ),
                ("raised_at", models.DateTimeField()),
                (
                    "raised_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("acknowledged_at", models.DateTimeField(null=True)),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("acknowledged_at__isnull", True)),
                        fields=["raised_at", "id"],
                        name="follow_up_open",
                    ),
                    models.Index(
                        condition=models.Q(("acknowledged_at__isnull", False)),
                        fields=["-acknowledged_at", "-id"],
                        name="follow_up_acknowledged",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("attempt", "kind"), name="follow_up_once_an_attempt"),
                    models.UniqueConstraint(
                        condition=models.Q(("acknowledged_at__isnull", True), ("attempt__isnull", True)),
                        fields=("referral", "kind"),
                        name="follow_up_of_the_record_once_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("attempt__isnull", True),
                                ("kind__in", ("transferred", "ruled_out", "ward_unclear", "officer_in_case")),
                            ),
                            models.Q(
                                ("attempt__isnull", False),
                                models.Q(
                                    (
                                        "kind__in",
                                        ("transferred", "ruled_out", "ward_unclear", "officer_in_case"),
                                    ),
                                    _negated=True,
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="follow_up_of_an_attempt_or_the_record",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("acknowledged_at__isnull", True), ("acknowledged_by__isnull", True)),
                            models.Q(("acknowledged_at__isnull", False), ("acknowledged_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="follow_up_acknowledged_at_by",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="followup",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_followupevent" ("acknowledged_at", "acknowledged_by_id", "attempt_id", "id", "kind", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "raised_at", "raised_by_id", "referral_id") SELECT new_values."acknowledged_at", new_values."acknowledged_by_id", new_values."attempt_id", new_values."id", new_values."kind", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."raised_at", new_values."raised_by_id", new_values."referral_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="61772f82b12f828ed6fdc5d828ea097569af9bf5",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_c1770",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_followup",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="followup",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_followupevent" ("acknowledged_at", "acknowledged_by_id", "attempt_id", "id", "kind", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "raised_at", "raised_by_id", "referral_id") SELECT new_values."acknowledged_at", new_values."acknowledged_by_id", new_values."attempt_id", new_values."id", new_values."kind", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."raised_at", new_values."raised_by_id", new_values."referral_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="50ac976d650e6911a019a68b77eca741bc01f1e1",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_51ae3",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_followup",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="FollowUpEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.followup",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "referral",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.referral",
                    ),
                ),
                (
                    "attempt",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.contactattempt",
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=referrals.models.contact.FollowUpKind.as_choices, max_length=20),
                ),
                ("raised_at", models.DateTimeField()),
                (
                    "raised_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("acknowledged_at", models.DateTimeField(null=True)),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="followupevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="446b709e3e3816164517e2c1c17e2519b3782023",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_8aba0",
                    table="referrals_followupevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ReferralNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="referrals.referral",
                    ),
                ),
                (
                    "changed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=referrals.models.referrals.Noticed.as_choices, max_length=20
                        ),
                        size=None,
                    ),
                ),
                ("noticed_at", models.DateTimeField()),
                (
                    "noticed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "read_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("read_at__isnull", True)),
                        fields=["referral", "id"],
                        name="notice_unread",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "changed__contained_by",
                                [
                                    "safety_note",
                                    "review_safety",
                                    "restrictions",
                                    "contact_wishes",
                                    "communication_need",
                                    "victim_under_18",
                                    "officer_in_case",
                                    "ward",
                                    "reopened",
                                ],
                            ),
                            ("changed__len__gt", 0),
                        ),
                        name="notice_names_what_changed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("read_at__isnull", True), ("read_by__isnull", True)),
                            models.Q(("read_at__isnull", False), ("read_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="notice_read_at_by",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referralnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_referralnoticeevent" ("changed", "id", "noticed_at", "noticed_by_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "read_at", "read_by_id", "referral_id") SELECT new_values."changed", new_values."id", new_values."noticed_at", new_values."noticed_by_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."read_at", new_values."read_by_id", new_values."referral_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="bed63a15ea09b6ca2c8bd966492319aa958f655c",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_d2850",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_referralnotice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referralnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_referralnoticeevent" ("changed", "id", "noticed_at", "noticed_by_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "read_at", "read_by_id", "referral_id") SELECT new_values."changed", new_values."id", new_values."noticed_at", new_values."noticed_by_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."read_at", new_values."read_by_id", new_values."referral_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="220f1547862d2075a4fbff0189b65822aaf87aac",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_c825b",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_referralnotice",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ReferralNoticeEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.referralnotice",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "referral",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.referral",
                    ),
                ),
                (
                    "changed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=referrals.models.referrals.Noticed.as_choices, max_length=20
                        ),
                        size=None,
                    ),
                ),
                ("noticed_at", models.DateTimeField()),
                (
                    "noticed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "read_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referralnoticeevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="04fea4a70b602042089ea31bfc9c18c2c34c79ad",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_7ef81",
                    table="referrals_referralnoticeevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decision",
                        to="referrals.case",
                    ),
                ),
                ("suitable", models.BooleanField()),
                (
                    "reason",
                    models.CharField(
                        blank=True, choices=referrals.models.cases.Reason.as_choices, max_length=20
                    ),
                ),
                (
                    "contact_by",
                    models.CharField(
                        blank=True, choices=referrals.models.cases.ContactBy.as_choices, max_length=20
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="referrals.team",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "drafted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("drafted_at", models.DateTimeField()),
                (
                    "submission",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="referrals.submission",
                    ),
                ),
                (
                    "assessed_for",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assessed",
                        to="referrals.trial",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("contact_by", ""), ("reason", ""), ("suitable", True)),
                            models.Q(
                                (
                                    "contact_by__in",
                                    [
                                        "neighbourhood_team",
                                        "home_bcu",
                                        "safeguarding",
                                        "police_scheme",
                                        "investigator",
                                    ],
                                ),
                                (
                                    "reason__in",
                                    [
                                        "no_crime",
                                        "outside_bcu",
                                        "no_individual",
                                        "duplicate",
                                        "closed",
                                        "unsafe",
                                        "domestic",
                                        "police_victim",
                                        "high_risk",
                                        "asked_for_contact",
                                        "other",
                                    ],
                                ),
                                ("suitable", False),
                            ),
                            _connector="OR",
                        ),
                        name="decision_not_suitable_says_why_and_who",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason__in", ["high_risk", "asked_for_contact"]), _negated=True),
                            ("contact_by", "neighbourhood_team"),
                            _connector="OR",
                        ),
                        name="decision_referred_anyway_goes_to_team",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decision",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_state_of_case_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Gives the row's case a state that it may have now; the trigger of the case table writes the true one.\nIF EXISTS (\n    SELECT FROM referrals_case\n    WHERE id = NEW.case_id AND decided_at IS NOT NULL AND state <> 'referred' AND state <> CASE WHEN NEW.suitable THEN 'usual_service' ELSE 'not_suitable' END\n) THEN\n    UPDATE referrals_case SET state = CASE WHEN NEW.suitable THEN 'usual_service' ELSE 'not_suitable' END WHERE id = NEW.case_id;\nEND IF;\nRETURN NULL;",
                    hash="c69a188422af7adead77b9f8dbf6369331aabac0",
                    operation="INSERT",
                    pgid="pgtrigger_keep_state_of_case_insert_1c7b2",
                    table="referrals_decision",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decision",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_state_of_case_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Gives the row's case a state that it may have now; the trigger of the case table writes the true one.\nIF EXISTS (\n    SELECT FROM referrals_case\n    WHERE id = NEW.case_id AND decided_at IS NOT NULL AND state <> 'referred' AND state <> CASE WHEN NEW.suitable THEN 'usual_service' ELSE 'not_suitable' END\n) THEN\n    UPDATE referrals_case SET state = CASE WHEN NEW.suitable THEN 'usual_service' ELSE 'not_suitable' END WHERE id = NEW.case_id;\nEND IF;\nRETURN NULL;",
                    hash="b0da208ef9298fe17de56df6fc3f5913567d64c8",
                    operation="UPDATE",
                    pgid="pgtrigger_keep_state_of_case_update_00e5d",
                    table="referrals_decision",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decision",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_state_of_case_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Gives the row's case a state that it may have now; the trigger of the case table writes the true one.\nIF EXISTS (\n    SELECT FROM referrals_case\n    WHERE id = OLD.case_id AND decided_at IS NOT NULL AND state <> 'referred' AND state <> 'not_suitable'\n) THEN\n    UPDATE referrals_case SET state = 'not_suitable' WHERE id = OLD.case_id;\nEND IF;\nRETURN NULL;",
                    hash="db48cdcb9b50f7ab3e592e7ac5942624c55c08b6",
                    operation="DELETE",
                    pgid="pgtrigger_keep_state_of_case_delete_db83e",
                    table="referrals_decision",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decision",
            trigger=pgtrigger.compiler.Trigger(
                name="submitted_is_final",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."submission_id" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="4c1bb236e70c74ea77138e2626f64d32a3041007",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_submitted_is_final_bb107",
                    table="referrals_decision",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decision",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_decisionevent" ("assessed_for_id", "case_id", "contact_by", "drafted_at", "drafted_by_id", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "submission_id", "suitable", "team_id", "version") SELECT new_values."assessed_for_id", new_values."case_id", new_values."contact_by", new_values."drafted_at", new_values."drafted_by_id", new_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."reason", new_values."submission_id", new_values."suitable", new_values."team_id", new_values."version" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="5e0f4a30167be39e6c46645b5ce0972f1eb9056a",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_547ec",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_decision",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decision",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_decisionevent" ("assessed_for_id", "case_id", "contact_by", "drafted_at", "drafted_by_id", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "submission_id", "suitable", "team_id", "version") SELECT new_values."assessed_for_id", new_values."case_id", new_values."contact_by", new_values."drafted_at", new_values."drafted_by_id", new_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."reason", new_values."submission_id", new_values."suitable", new_values."team_id", new_values."version" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="1e288253dc88858ab0b01b497fece84af234e019",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_e8c4c",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_decision",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decision",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_decisionevent" ("assessed_for_id", "case_id", "contact_by", "drafted_at", "drafted_by_id", "id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "submission_id", "suitable", "team_id", "version") SELECT old_values."assessed_for_id", old_values."case_id", old_values."contact_by", old_values."drafted_at", old_values."drafted_by_id", old_values."id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'delete\', old_values."id", old_values."reason", old_values."submission_id", old_values."suitable", old_values."team_id", old_values."version" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="41be2c5df5c84b1b508b384a6317a32d0383ab9c",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_36872",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="referrals_decision",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="DecisionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.decision",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "case",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.case",
                    ),
                ),
                ("suitable", models.BooleanField()),
                (
                    "reason",
                    models.CharField(
                        blank=True, choices=referrals.models.cases.Reason.as_choices, max_length=20
                    ),
                ),
                (
                    "contact_by",
                    models.CharField(
                        blank=True, choices=referrals.models.cases.ContactBy.as_choices, max_length=20
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.team",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "drafted_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("drafted_at", models.DateTimeField()),
                (
                    "submission",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.submission",
                    ),
                ),
                (
                    "assessed_for",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.trial",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decisionevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="7bc7ac2c29963361a9a9d8fdc5791f14999e03ec",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_20bae",
                    table="referrals_decisionevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("unique_key", models.CharField(max_length=120, unique=True)),
                ("message_id", models.CharField(max_length=200, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=referrals.models.notifications.MailKind.as_choices, max_length=20
                    ),
                ),
                ("recipient", models.EmailField(max_length=254)),
                (
                    "referral",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notifications",
                        to="referrals.referral",
                    ),
                ),
                (
                    "trial_notice",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notifications",
                        to="referrals.trialnotice",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("not_before", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("claim_token", models.UUIDField(null=True)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("possible_duplicate", models.BooleanField(default=False)),
                ("sent_at", models.DateTimeField(null=True)),
                ("abandoned_at", models.DateTimeField(null=True)),
                ("last_error", models.CharField(blank=True, max_length=100)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("abandoned_at__isnull", True), ("sent_at__isnull", True)),
                        fields=["not_before", "id"],
                        name="notification_waiting",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("kind", "trial_notice"),
                                ("referral__isnull", True),
                                ("trial_notice__isnull", False),
                            ),
                            models.Q(
                                models.Q(("kind", "trial_notice"), _negated=True),
                                ("referral__isnull", False),
                                ("trial_notice__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="notification_of_a_referral_or_a_trial",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("claim_token__isnull", True), ("claimed_until__isnull", True)),
                            models.Q(("claim_token__isnull", False), ("claimed_until__isnull", False)),
                            _connector="OR",
                        ),
                        name="notification_claim_token_until",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sent_at__isnull", True), ("abandoned_at__isnull", True), _connector="OR"
                        ),
                        name="notification_sent_or_abandoned",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnitKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "trial",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="referrals.trial"
                    ),
                ),
                ("key_hash", models.CharField(max_length=64)),
                (
                    "allocation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unit_keys",
                        to="referrals.allocation",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("trial", "key_hash"), name="unit_once_in_a_trial")
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="unitkey",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="f10ec01b9694fb21267dfbcfc2a061cac878d8ee",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_7a575",
                    table="referrals_unitkey",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ReferralEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.referral",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                ("number", models.CharField(max_length=20)),
                (
                    "case",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.case",
                    ),
                ),
                (
                    "allocation",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.allocation",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.team",
                    ),
                ),
                (
                    "ward",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.ward",
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=referrals.models.referrals.ReferralStatus.as_choices,
                        default="open",
                        max_length=10,
                    ),
                ),
                ("flag_confirmed_at", models.DateTimeField(null=True)),
                (
                    "flag_confirmed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("ruled_out_since", models.DateTimeField(null=True)),
                ("flag_removed_at", models.DateTimeField(null=True)),
                (
                    "flag_removed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("taken_at", models.DateTimeField(null=True)),
                (
                    "taken_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("contacted_at", models.DateTimeField(null=True)),
                (
                    "close_reason",
                    models.CharField(
                        blank=True, choices=referrals.models.referrals.CloseReason.as_choices, max_length=20
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="referralevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="1a61dcd844caf3ca043cd5fc836a4fbfb5122b75",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_d0304",
                    table="referrals_referralevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Postcode",
            fields=[
                ("pcds", models.CharField(max_length=8, primary_key=True, serialize=False)),
                (
                    "ward",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="referrals.ward"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="HandOver",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hand_overs",
                        to="referrals.referral",
                    ),
                ),
                (
                    "from_team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="referrals.team"
                    ),
                ),
                (
                    "to_team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="referrals.team"
                    ),
                ),
                (
                    "from_ward",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="referrals.ward"
                    ),
                ),
                (
                    "to_ward",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="referrals.ward"
                    ),
                ),
                ("handed_at", models.DateTimeField()),
                (
                    "handed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("from_team", models.F("to_team")), _negated=True),
                        name="hand_over_is_to_another_team",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handover",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="2366d1edc7aaa8355208b97228302113116bd4bf",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_608fe",
                    table="referrals_handover",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="ContactCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "ward",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="referrals.ward",
                    ),
                ),
                ("due_on", models.DateField()),
                ("in_time", models.IntegerField()),
                ("late", models.IntegerField()),
                ("closed_without_contact", models.IntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["due_on", "ward"],
                        include=("in_time", "late", "closed_without_contact"),
                        name="contact_count_by_day",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="bcu_crime_reference_reported_at_is_crime_crime_status_hate_flag_ward_restrictions_restrictions_set_at_restrictions_set_by_changed_at_decided_at_events",
                        to="referrals.case",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                (
                    "bcu",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.bcu",
                    ),
                ),
                ("crime_reference", models.CharField(max_length=40)),
                ("reported_at", models.DateTimeField()),
                ("is_crime", models.BooleanField()),
                (
                    "crime_status",
                    models.CharField(
                        choices=referrals.models.cases.CrimeStatus.as_choices,
                        db_default="recorded",
                        default="recorded",
                        max_length=20,
                    ),
                ),
                ("hate_flag", models.BooleanField(db_default=True, default=True)),
                (
                    "ward",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.ward",
                    ),
                ),
                (
                    "restrictions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=referrals.models.cases.Restriction.as_choices, max_length=20
                        ),
                        default=list,
                        size=None,
                    ),
                ),
                ("restrictions_set_at", models.DateTimeField(null=True)),
                (
                    "restrictions_set_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("changed_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="072a4b4003aebd19f6ad297ee3b43019132a43cf",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_0121a",
                    table="referrals_caseevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="WardEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.ward",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                ("code", models.CharField(max_length=9)),
                ("name", models.CharField(max_length=100)),
                (
                    "borough",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.borough",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.team",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wardevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="198f946572f3a7d34dbf929370bec2417f8a7038",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_b664d",
                    table="referrals_wardevent",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="WardMode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "ward",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="modes", to="referrals.ward"
                    ),
                ),
                ("mode", models.CharField(choices=referrals.models.places.Mode.as_choices, max_length=20)),
                (
                    "trial",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ward_modes",
                        to="referrals.trial",
                    ),
                ),
                ("starts_on", models.DateField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("ward", "starts_on"), name="ward_mode_one_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("mode", "trial"), ("trial__isnull", False)),
                            models.Q(("mode__in", ["src_for_all", "not_started"]), ("trial__isnull", True)),
                            _connector="OR",
                        ),
                        name="ward_mode_trial_names_its_trial",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wardmode",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_wardmodeevent" ("id", "mode", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "trial_id", "ward_id") SELECT new_values."id", new_values."mode", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'insert\', new_values."id", new_values."starts_on", new_values."trial_id", new_values."ward_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="a5bae95cf680d14aa42d9750815e604ff42d2be8",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_587cc",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="referrals_wardmode",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wardmode",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "referrals_wardmodeevent" ("id", "mode", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "starts_on", "trial_id", "ward_id") SELECT new_values."id", new_values."mode", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', new_values."id", new_values."starts_on", new_values."trial_id", new_values."ward_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="dd7fc1c059b2e336c4887edf276d7a3be32d2bdc",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_81999",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="referrals_wardmode",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="WardModeEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                (
                    "pgh_obj",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="events",
                        to="referrals.wardmode",
                    ),
                ),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.BigIntegerField()),
                (
                    "ward",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.ward",
                    ),
                ),
                ("mode", models.CharField(choices=referrals.models.places.Mode.as_choices, max_length=20)),
                (
                    "trial",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        related_query_name="+",
                        to="referrals.trial",
                    ),
                ),
                ("starts_on", models.DateField()),
            ],
            options={
                "abstract": False,
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="wardmodeevent",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="1c22ddaaf8902e56c57833792baca219fe3ce0f4",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_e8a9c",
                    table="referrals_wardmodeevent",
                    when="BEFORE",
                ),
            ),
        ),
    ]
