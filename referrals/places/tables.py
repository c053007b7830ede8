"""Lists of wards and people as tables."""

import django_tables2

from referrals.places.readers import Person, WardRow
from src_app.lists.tables import ListTable


class WardTable(ListTable):
    """Wards, each with its team and mode."""

    name = django_tables2.Column(verbose_name="Ward", accessor="ward__name")
    borough = django_tables2.Column(verbose_name="Borough", accessor="ward__borough__name")
    team = django_tables2.Column(verbose_name="Team", accessor="ward__team__name")
    mailbox = django_tables2.Column(verbose_name="Mailbox", accessor="ward__team__mailbox")
    mode = django_tables2.Column(verbose_name="Now")
    code = django_tables2.Column(verbose_name="Code", accessor="ward__code")

    def render_mode(self, record: WardRow) -> str:
        return record.mode


class PersonTable(ListTable):
    """Accounts, each with its role and where it belongs."""

    name = django_tables2.Column(verbose_name="Name", accessor="user__display_name")
    username = django_tables2.Column(verbose_name="User name", accessor="user__username")
    role = django_tables2.Column(verbose_name="Role", accessor="user__role")
    places = django_tables2.Column(verbose_name="Belongs to", empty_values=())
    active = django_tables2.Column(verbose_name="Can sign in", accessor="user__is_active")

    def render_role(self, record: Person) -> str:
        return record.user.get_role_display()

    def render_places(self, record: Person) -> str:
        return "; ".join(record.places) or "Nowhere"

    def render_active(self, record: Person) -> str:
        return "Yes" if record.user.is_active else "No"
