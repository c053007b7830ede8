"""What waits for this account, told in the navigation of every page; and the banner."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from referrals.contact.readers.follow_ups import waiting_for
from referrals.crime_record.readers import flags_to_confirm, flags_to_remove
from referrals.guidance.readers import banner_at
from referrals.intake.readers import imports_to_see_to
from referrals.models import Banner
from referrals.scope import follow_ups_visible_to
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def navigation_counts(request: HttpRequest) -> dict[str, Any]:
    """Context of every page: counts for the navigation, each asked for only where it is shown."""
    user = getattr(request, "user", None)

    def counted(permission: Permission, count: Callable[[User], int]) -> Any:
        return partial(count, user) if isinstance(user, User) and user.can(permission) else 0

    return {
        "follow_ups_waiting": counted(Permission.ACKNOWLEDGE_FOLLOW_UPS, _follow_ups),
        "flags_waiting": counted(Permission.CONFIRM_FLAGS, _flags),
        "imports_waiting": counted(Permission.IMPORT_CASES, _imports),
        "banner": partial(_banner, user) if isinstance(user, User) else None,
    }


def _banner(_: User) -> Banner | None:
    return banner_at(timezone.now())


def _follow_ups(user: User) -> int:
    return waiting_for(user, follow_ups_visible_to(user)).count()


def _flags(user: User) -> int:
    return flags_to_confirm(user).count() + flags_to_remove(user).count()


def _imports(user: User) -> int:
    return imports_to_see_to(user, timezone.now()).count()
