"""Which people a list shows, and in what order."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from referrals.models import Team
from referrals.people.readers.access_review import ACCESS_STATES, in_access_state
from referrals.people.readers.people import ROLES, STATES, in_state, members_of
from referrals.scope import today
from src_app.accounts.models import User
from src_app.lists.filters import ListFilter, Order, OrderFilter


class PersonFilter(ListFilter):
    """Accounts by name, role and team, and by what is amiss with them."""

    search = django_filters.CharFilter(label="Name or user name", max_length=100, method="by_name")
    role = django_filters.ChoiceFilter(label="Role", choices=ROLES, empty_label="Every role")
    team = django_filters.ChoiceFilter(label="Team", empty_label="Every team", method="by_team")
    state = django_filters.ChoiceFilter(
        label="Account", choices=STATES, empty_label="Open and closed", method="by_state"
    )
    order = OrderFilter(
        {
            "name": Order("By name", ("display_name", "pk")),
            "username": Order("By user name", ("username", "pk")),
        }
    )

    class Meta:
        model = User
        fields: list[str] = []

    def __init__(self, *arguments: Any, user: User, **options: Any) -> None:
        super().__init__(*arguments, user=user, **options)
        teams = Team.objects.filter(closed_at__isnull=True).select_related("borough").order_by("name", "pk")
        self.filters["team"].extra["choices"] = [(team.pk, f"{team}, {team.borough}") for team in teams]

    def by_name(self, people: QuerySet[User], _name: str, value: str) -> QuerySet[User]:
        """Those whose name or user name has the words in it."""
        return people.filter(Q(display_name__icontains=value) | Q(username__icontains=value))

    def by_team(self, people: QuerySet[User], _name: str, value: str) -> QuerySet[User]:
        """Those who belong to the team today."""
        return people.filter(pk__in=members_of(int(value), today()).values("user"))

    def by_state(self, people: QuerySet[User], _name: str, value: str) -> QuerySet[User]:
        """Those in that state."""
        return in_state(people, value)


class AccessFilter(PersonFilter):
    """Open accounts by name, role and team, and by use and answer."""

    state = django_filters.ChoiceFilter(
        label="Account", choices=ACCESS_STATES, empty_label="Every one", method="by_state"
    )

    def by_state(self, people: QuerySet[User], _name: str, value: str) -> QuerySet[User]:
        """Those in that state."""
        return in_access_state(people, value)
