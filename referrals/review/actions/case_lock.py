"""What every action on a submitted case begins with: its lock."""

from referrals.models import Allocation, Case, Trial
from referrals.scope import cases_visible_to
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def lock_submitted(case_id: int, by: User) -> Case:
    """The case with its ward, locked; its trial first where it was allocated (lock order).

    Raises ``Case.DoesNotExist`` for one out of scope.
    """
    check_authority(by, Permission.REVIEW_CASES)
    allocated = Allocation.objects.filter(case=case_id)
    list(Trial.objects.filter(pk__in=allocated.values("trial")).only("pk").select_for_update())
    cases = cases_visible_to(by).select_related("ward__borough", "ward__team")
    return cases.select_for_update(of=("self",)).get(pk=case_id)
