import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
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
    ]
