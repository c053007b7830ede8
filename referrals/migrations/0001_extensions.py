from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations


class Migration(migrations.Migration):
    """What the tables need of PostgreSQL: an exclusion constraint over a reference and a range of days."""

    initial = True
    dependencies = []
    operations = [BtreeGistExtension()]
