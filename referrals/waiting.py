"""What waits for this account, told in the navigation of every page."""

from functools import partial
from typing import Any

from django.http import HttpRequest

from referrals.queries import follow_ups_open
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def waiting(request: HttpRequest) -> dict[str, Any]:
    """Context of every page: a count for the navigation, asked for only where it is shown."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.can(Permission.ACKNOWLEDGE_FOLLOW_UPS):
        return {"follow_ups_waiting": 0}
    return {"follow_ups_waiting": partial(_follow_ups, user)}


def _follow_ups(user: User) -> int:
    return follow_ups_open(user).count()
