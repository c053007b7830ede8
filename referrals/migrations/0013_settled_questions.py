import django.contrib.postgres.fields
from django.db import migrations, models

# What waits from before: an open question was asked, and what was said or answered stays. Which other victims
# were looked for is not known: of those it is asked once more, and nothing is overwritten by that.
SETTLE = """
    UPDATE referrals_case AS kept SET settled = ARRAY(
        SELECT question FROM (VALUES
            ('repeat_victim', kept.repeat_victim), ('strands', kept.strands <> '{}')
        ) AS asked (question, is_said)
        WHERE is_said OR question = ANY(kept.questions) OR EXISTS (
            SELECT FROM audit_auditentry AS entry
            WHERE entry.action = 'questions answered' AND question = ANY(entry.fields)
                AND entry."references" @> ARRAY[kept.crime_reference]
        )
    ) WHERE decided_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
        ("referrals", "0012_trial_proposed"),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="settled",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40), db_default=[], default=list, size=None
            ),
        ),
        migrations.RunSQL(SETTLE, reverse_sql=migrations.RunSQL.noop),
    ]
