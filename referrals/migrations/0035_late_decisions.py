import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("referrals", "0034_reminders_told")]

    operations = [
        migrations.AlterField(
            model_name="latedecision",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="late_decisions",
                to="referrals.case",
            ),
        ),
    ]
