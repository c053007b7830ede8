"""What every action on a submitted case begins with: its lock."""

from django.db.models import Q

from referrals.cases.readers import duplicates_left_to
from referrals.models import Allocation, Case, Trial
from referrals.scope import cases_visible_to
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def lock_submitted(case_id: int, by: User, *, beside: str = "", duplicates: bool = False) -> Case:
    """The case with its ward, locked; its trial first where it was allocated (lock order).

    ``beside``: the crime reference of another report that has to stay as it is, and is locked too;
    ``duplicates``: so are those whose victims are contacted for this one. Raises ``Case.DoesNotExist`` for a
    case out of scope.
    """
    check_authority(by, Permission.REVIEW_CASES)
    allocated = Allocation.objects.filter(case=case_id)
    list(Trial.objects.filter(pk__in=allocated.values("trial")).only("pk").select_for_update())
    cases = cases_visible_to(by).select_related("ward__borough", "ward__team")
    wanted = Q(pk=case_id) | Q(crime_reference=beside) if beside else Q(pk=case_id)
    if duplicates:
        wanted |= Q(pk__in=duplicates_left_to(Case.objects.filter(pk=case_id)).values("pk"))
    locked = {case.pk: case for case in cases.filter(wanted).order_by("pk").select_for_update(of=("self",))}
    if case_id not in locked:
        raise Case.DoesNotExist
    return locked[case_id]
