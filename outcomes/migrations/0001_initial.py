import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("referrals", "0002_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="CountedCase",
            fields=[],
            options={
                "proxy": True,
            },
            bases=("referrals.case",),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="countedcase",
            trigger=pgtrigger.compiler.Trigger(
                name="count_case",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."decided_at" IS DISTINCT FROM (NEW."decided_at") OR OLD."bcu_id" IS DISTINCT FROM (NEW."bcu_id"))',
                    func="-- Adds what rows of BCU, code and number come to, and nothing where that is nothing.\nINSERT INTO outcomes_outcomecount (bcu_id, code_id, cases)\nSELECT bcu_id, code_id, sum(number) FROM (-- The case before or after its change, where it counts.\nSELECT NEW.bcu_id, (\n    SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = NEW.id\n    ORDER BY recorded_at DESC, id DESC LIMIT 1\n) AS code_id, 1 AS number\nWHERE NEW.decided_at IS NOT NULL AND (SELECT suitable FROM referrals_decision WHERE case_id = NEW.id) UNION ALL -- The case before or after its change, where it counts.\nSELECT OLD.bcu_id, (\n    SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = OLD.id\n    ORDER BY recorded_at DESC, id DESC LIMIT 1\n) AS code_id, -1 AS number\nWHERE OLD.decided_at IS NOT NULL AND (SELECT suitable FROM referrals_decision WHERE case_id = OLD.id)) AS changed\nWHERE bcu_id IS NOT NULL GROUP BY 1, 2 HAVING sum(number) <> 0;\nRETURN NULL;",
                    hash="c03f3635b873c9fde241f91739fd58cf1ce02711",
                    operation="UPDATE",
                    pgid="pgtrigger_count_case_b8297",
                    table="referrals_case",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="CountedDecision",
            fields=[],
            options={
                "proxy": True,
            },
            bases=("referrals.decision",),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="counteddecision",
            trigger=pgtrigger.compiler.Trigger(
                name="count_decision_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Adds what rows of BCU, code and number come to, and nothing where that is nothing.\nINSERT INTO outcomes_outcomecount (bcu_id, code_id, cases)\nSELECT bcu_id, code_id, sum(number) FROM (-- The decisions before or after their change that found a decided case suitable.\nSELECT (\n    SELECT bcu_id FROM referrals_case AS c WHERE c.id = new_rows.case_id AND c.decided_at IS NOT NULL\n) AS bcu_id, (\n    SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = new_rows.case_id\n    ORDER BY recorded_at DESC, id DESC LIMIT 1\n) AS code_id, 1 AS number\nFROM new_rows WHERE new_rows.suitable) AS changed\nWHERE bcu_id IS NOT NULL GROUP BY 1, 2 HAVING sum(number) <> 0;\nRETURN NULL;",
                    hash="41673690486ce44a01153775de73d0d1fda169c5",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_count_decision_insert_81496",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="referrals_decision",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="counteddecision",
            trigger=pgtrigger.compiler.Trigger(
                name="count_decision_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Adds what rows of BCU, code and number come to, and nothing where that is nothing.\nINSERT INTO outcomes_outcomecount (bcu_id, code_id, cases)\nSELECT bcu_id, code_id, sum(number) FROM (-- The decisions before or after their change that found a decided case suitable.\nSELECT (\n    SELECT bcu_id FROM referrals_case AS c WHERE c.id = new_rows.case_id AND c.decided_at IS NOT NULL\n) AS bcu_id, (\n    SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = new_rows.case_id\n    ORDER BY recorded_at DESC, id DESC LIMIT 1\n) AS code_id, 1 AS number\nFROM new_rows WHERE new_rows.suitable UNION ALL -- The decisions before or after their change that found a decided case suitable.\nSELECT (\n    SELECT bcu_id FROM referrals_case AS c WHERE c.id = old_rows.case_id AND c.decided_at IS NOT NULL\n) AS bcu_id, (\n    SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = old_rows.case_id\n    ORDER BY recorded_at DESC, id DESC LIMIT 1\n) AS code_id, -1 AS number\nFROM old_rows WHERE old_rows.suitable) AS changed\nWHERE bcu_id IS NOT NULL GROUP BY 1, 2 HAVING sum(number) <> 0;\nRETURN NULL;",
                    hash="30c7da0ddfc8907c63463f16a69a1db4372ee7b0",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_count_decision_update_62f6b",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="referrals_decision",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="counteddecision",
            trigger=pgtrigger.compiler.Trigger(
                name="count_decision_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Adds what rows of BCU, code and number come to, and nothing where that is nothing.\nINSERT INTO outcomes_outcomecount (bcu_id, code_id, cases)\nSELECT bcu_id, code_id, sum(number) FROM (-- The decisions before or after their change that found a decided case suitable.\nSELECT (\n    SELECT bcu_id FROM referrals_case AS c WHERE c.id = old_rows.case_id AND c.decided_at IS NOT NULL\n) AS bcu_id, (\n    SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = old_rows.case_id\n    ORDER BY recorded_at DESC, id DESC LIMIT 1\n) AS code_id, -1 AS number\nFROM old_rows WHERE old_rows.suitable) AS changed\nWHERE bcu_id IS NOT NULL GROUP BY 1, 2 HAVING sum(number) <> 0;\nRETURN NULL;",
                    hash="5cf99a9dd5290e59efd704bf1eed71ff152a471b",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_count_decision_delete_d817f",
                    referencing="REFERENCING OLD TABLE AS old_rows ",
                    table="referrals_decision",
                    when="AFTER",
                ),
            ),
        ),
        migrations.CreateModel(
            name="DataSet",
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
                        related_name="data_sets",
                        to="referrals.trial",
                    ),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("content", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
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
                    models.UniqueConstraint(fields=("trial", "number"), name="data_set_number_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("number", 1), ("reason", "")),
                            models.Q(("number__gt", 1), models.Q(("reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="data_set_corrected_for_a_reason",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dataset",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="cced679dd396346d86e1f8f63b5052aaf0f76066",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_dca37",
                    table="outcomes_dataset",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dataset",
            trigger=pgtrigger.compiler.Trigger(
                name="of_locked_outcomes",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (\n                    EXISTS (\n                        SELECT FROM referrals_trial\n                        WHERE id = NEW.trial_id AND status IN ('locked', 'revealed')\n                    )\n                    AND NEW.number = 1 + (SELECT count(*) FROM outcomes_dataset WHERE trial_id = NEW.trial_id)\n                ) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: of_locked_outcomes' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="b7afaaada8c84f907d8193e711d60d92f70656f6",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_of_locked_outcomes_d916b",
                    table="outcomes_dataset",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="Look",
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
                        related_name="looks",
                        to="referrals.trial",
                    ),
                ),
                ("planned_on", models.DateField(null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("content", models.JSONField()),
                ("opened_at", models.DateTimeField()),
                (
                    "opened_by",
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
                    models.UniqueConstraint(fields=("trial", "planned_on"), name="look_planned_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("planned_on__isnull", False), ("reason", "")),
                            models.Q(("planned_on__isnull", True), models.Q(("reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="look_is_planned_or_says_why",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="look",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="af40a0b0ab265a3803200a99dbc433d94c10f0ae",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_fa919",
                    table="outcomes_look",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="look",
            trigger=pgtrigger.compiler.Trigger(
                name="before_the_lock",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (\n                    EXISTS (\n                        SELECT FROM referrals_trial\n                        WHERE id = NEW.trial_id AND status IN ('recruiting', 'closed')\n                    )\n                ) IS NOT TRUE THEN\n                RAISE EXCEPTION 'refused: before_the_lock' USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="8cc2e6dea68989bc6e6b3173c6be5c935daf4ef5",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_before_the_lock_6c72d",
                    table="outcomes_look",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.CreateModel(
            name="OutcomeCode",
            fields=[
                ("code", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("short_title", models.CharField(max_length=60)),
                ("description", models.CharField(max_length=200)),
                ("attrition", models.BooleanField()),
                ("charge", models.BooleanField()),
                ("positive", models.BooleanField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__range", (1, 22))), name="outcome_code_1_to_22"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OutcomeCount",
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
                        related_name="+",
                        to="referrals.bcu",
                    ),
                ),
                (
                    "code",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="outcomes.outcomecode",
                    ),
                ),
                ("cases", models.IntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["bcu", "code"], include=("cases",), name="outcome_count_by_code")
                ],
            },
        ),
        migrations.CreateModel(
            name="RateSnapshot",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("computed_at", models.DateTimeField()),
                (
                    "bcu",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="referrals.bcu"
                    ),
                ),
                (
                    "ward",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="referrals.ward",
                    ),
                ),
                ("in_time", models.PositiveIntegerField()),
                ("late", models.PositiveIntegerField()),
                ("overdue", models.PositiveIntegerField()),
                ("not_yet_due", models.PositiveIntegerField()),
                ("closed_without_contact", models.PositiveIntegerField()),
                ("cases", models.PositiveIntegerField()),
                ("closed", models.PositiveIntegerField()),
                ("attrition", models.PositiveIntegerField()),
                ("charge", models.PositiveIntegerField()),
                ("positive", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "bcu", "ward"), name="rate_snapshot_one_a_day", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecordedOutcome",
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
                        related_name="outcomes",
                        to="referrals.case",
                    ),
                ),
                (
                    "code",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="outcomes.outcomecode",
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                ("imported_at", models.DateTimeField()),
                (
                    "imported_by",
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
                    models.Index(fields=["case", "-recorded_at", "-id"], name="outcome_latest_of_case")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("case", "recorded_at", "code"), name="outcome_recorded_once"
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recordedoutcome",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="154a0f01497f8865eb35f8d33c51e48236aafa81",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_f92de",
                    table="outcomes_recordedoutcome",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recordedoutcome",
            trigger=pgtrigger.compiler.Trigger(
                name="count_outcome_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="-- Adds what rows of BCU, code and number come to, and nothing where that is nothing.\nINSERT INTO outcomes_outcomecount (bcu_id, code_id, cases)\nSELECT bcu_id, code_id, sum(number) FROM (-- The cases of new outcomes, with the latest outcome before or after them.\nSELECT (\n    SELECT bcu_id FROM referrals_case AS c\n    WHERE c.id = changed.case_id AND c.decided_at IS NOT NULL\n        AND (SELECT suitable FROM referrals_decision WHERE case_id = c.id)\n) AS bcu_id, (\n    SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = changed.case_id \n    ORDER BY recorded_at DESC, id DESC LIMIT 1\n) AS code_id, 1 AS number\nFROM (SELECT DISTINCT case_id FROM new_rows) AS changed UNION ALL -- The cases of new outcomes, with the latest outcome before or after them.\nSELECT (\n    SELECT bcu_id FROM referrals_case AS c\n    WHERE c.id = changed.case_id AND c.decided_at IS NOT NULL\n        AND (SELECT suitable FROM referrals_decision WHERE case_id = c.id)\n) AS bcu_id, (\n    SELECT code_id FROM outcomes_recordedoutcome WHERE case_id = changed.case_id AND id NOT IN (SELECT id FROM new_rows)\n    ORDER BY recorded_at DESC, id DESC LIMIT 1\n) AS code_id, -1 AS number\nFROM (SELECT DISTINCT case_id FROM new_rows) AS changed) AS changed\nWHERE bcu_id IS NOT NULL GROUP BY 1, 2 HAVING sum(number) <> 0;\nRETURN NULL;",
                    hash="f9eb1ab9a18bcb1e64d04d1e421f686d81860178",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_count_outcome_insert_25bb5",
                    referencing="REFERENCING NEW TABLE AS new_rows ",
                    table="outcomes_recordedoutcome",
                    when="AFTER",
                ),
            ),
        ),
    ]
