import math
import re
from datetime import datetime, timedelta

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# How a reminder was known before: ``overdue:SRC-2026-000123:2026-11-23T07:30:00+00:00``, or with ``:taker``.
_EARLIER = re.compile(r"(due_soon|overdue):([^:]+):(\d{4}-\d\d-\d\dT[^+]+\+\d\d:\d\d)(:taker)?")
_AT_ONCE = 1000


def keep_what_was_told(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Gives each reminder that was queued the key that it would have now, so that nobody is told twice.

    What went to a mailbox that the team has no more, or to an address nobody has, keeps its key.
    """
    # The owner migrates, under another alias than that of the runtime role.
    alias = editor.connection.alias
    notifications = apps.get_model("referrals", "Notification").objects.using(alias)
    addresses = (
        apps.get_model("accounts", "User").objects.using(alias).exclude(email=None).values_list("email", "pk")
    )
    users = dict(addresses)
    before = settings.REMIND_BEFORE_DUE // timedelta(hours=1)
    reminders = notifications.filter(kind__in=("due_soon", "overdue"), unique_key__contains="T")
    changed = []
    for each in reminders.select_related("referral__team").iterator(_AT_ONCE):
        earlier = _EARLIER.fullmatch(each.unique_key)
        if earlier is None:
            continue
        kind, number, due_at, to_taker = earlier.groups()
        team = each.referral.team
        whose = users.get(each.recipient) if to_taker else team.pk if each.recipient == team.mailbox else None
        if whose is None:
            continue
        seconds = math.floor(datetime.fromisoformat(due_at).timestamp())
        step = f"{-before:+d}" if kind == "due_soon" else "+0"
        each.unique_key = f"{kind}:{number}:{seconds}:{step}:{'taker' if to_taker else 'mailbox'}:{whose}:0"
        changed.append(each)
    notifications.bulk_update(changed, ["unique_key"], batch_size=_AT_ONCE)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_work_email"), ("referrals", "0033_compliance_views")]

    operations = [migrations.RunPython(keep_what_was_told, migrations.RunPython.noop, elidable=True)]
