"""Wards with their mode, and the teams to choose from."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from referrals.models import (
    RING_AGAIN,
    BcuMembership,
    Case,
    FollowUp,
    Leave,
    Postcode,
    Referral,
    ReferralStatus,
    Team,
    TeamMembership,
    Ward,
)
from referrals.places.ward_modes import EffectiveMode, WardModes
from referrals.scope import bcus_of, teams_led_by, today
from src_app.accounts.models import User
from src_app.accounts.roles import PERMISSIONS, Permission, Role


def wards_to_keep(user: User) -> QuerySet[Ward]:
    """Every ward with its team, by name; for those who keep teams and wards."""
    if not user.can(Permission.MANAGE_PLACES):
        return Ward.objects.none()
    return Ward.objects.select_related("borough__bcu", "team").order_by("name", "pk")


def wards_without_postcode() -> QuerySet[Ward]:
    """Wards that no postcode leads to: a report from there finds no team."""
    has_one = Postcode.objects.filter(ward=OuterRef("pk"))
    return Ward.objects.filter(~Exists(has_one)).order_by("name", "pk")


@dataclass(frozen=True)
class WardRow:
    """A ward, its team and what happens to its suitable cases today."""

    ward: Ward
    mode: str


def modes_on(wards: Collection[Ward], day: date) -> list[WardRow]:
    """The wards with the words for the mode that counts on that day."""
    modes = WardModes(wards)
    return [WardRow(ward=ward, mode=mode_words(modes.effective_mode(ward.pk, day))) for ward in wards]


def mode_words(effective: EffectiveMode) -> str:
    """The mode that counts, with the trial where one recruits."""
    label = str(effective.mode.label)
    return f"{label}: {effective.trial}" if effective.trial else label


def people_of(teams: QuerySet[Team], day: date) -> QuerySet[User]:
    """Those with an open account who belong to one of the teams on that day, by name, at work or away."""
    members = TeamMembership.objects.filter(TeamMembership.current(day), team__in=teams)
    return User.objects.filter(is_active=True, pk__in=members.values("user")).order_by("display_name", "pk")


def members_since(team: Team, day: date) -> QuerySet[User]:
    """Those with an open account who belong to the team, or did on that day or later; by name."""
    members = TeamMembership.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=day), team=team, starts_on__lte=today()
    )
    return User.objects.filter(is_active=True, pk__in=members.values("user")).order_by("display_name", "pk")


def is_away(day: date) -> Exists:
    """A condition for accounts: on leave on that day."""
    return Exists(Leave.objects.filter(Leave.current(day), user=OuterRef("pk")))


def people_led_by(user: User, day: date) -> QuerySet[User]:
    """Those whose work the account sees to: of its teams, and the HCOPs and supervisors of its BCUs."""
    if not user.can(Permission.CHASE_REFERRALS):
        return User.objects.none()
    in_bcus = BcuMembership.objects.filter(BcuMembership.current(day), bcu__in=bcus_of(user))
    of_bcus = Q(pk__in=in_bcus.values("user"), role__in=(Role.HCOP, Role.SUPERVISOR))
    of_teams = Q(pk__in=people_of(teams_led_by(user), day).values("pk"))
    return User.objects.filter(of_teams | of_bcus, is_active=True)


def may_set_leave(user: User, setter: User) -> bool:
    """Whether ``setter`` may set the leave of ``user``: everybody their own, and that of those they lead."""
    return user == setter or people_led_by(setter, today()).filter(pk=user.pk).exists()


def with_somebody_away(day: date) -> QuerySet[Referral]:
    """Open referrals of people who cannot make the contact: on leave, or without account, role or place."""
    gone = _gone(
        "taken_by", [Permission.CONTACT_VICTIMS], teams=["team"], bcus=["team__borough__bcu"], day=day
    )
    return Referral.objects.filter(gone, status=ReferralStatus.OPEN, taken_by__isnull=False)


def owned_by_somebody_away(day: date) -> QuerySet[FollowUp]:
    """The same of follow-ups that are not done, but for those of which another of the kind waits already.

    Whoever contacts victims may own one that asks to ring the victim again.
    """
    sees_to_all, rings = [Permission.ACKNOWLEDGE_FOLLOW_UPS], [Permission.CONTACT_VICTIMS]
    gone = (~Q(kind__in=RING_AGAIN) & _owner_gone(sees_to_all, day)) | (
        Q(kind__in=RING_AGAIN) & _owner_gone(sees_to_all + rings, day)
    )
    waits = FollowUp.objects.filter(
        referral=OuterRef("referral"),
        kind=OuterRef("kind"),
        attempt__isnull=True,
        acknowledged_at__isnull=True,
    )
    return FollowUp.objects.filter(
        gone, Q(attempt__isnull=False) | ~Exists(waits), acknowledged_at__isnull=False, done_at__isnull=True
    ).select_related("referral", "case")


def _owner_gone(permissions: list[Permission], day: date) -> Q:
    """A condition for follow-ups whose owner cannot see to them."""
    return _gone(
        "acknowledged_by",
        permissions,
        teams=["referral__team", "referral__team__merged_into"],
        bcus=["referral__team__borough__bcu", "case__bcu"],
        case_bcu="referral__case__bcu",
        day=day,
    )


def _gone(
    who: str,
    permissions: list[Permission],
    *,
    teams: list[str],
    bcus: list[str],
    case_bcu: str = "",
    day: date,
) -> Q:
    """A condition for rows whose ``who`` cannot see to them. ``teams``, ``bcus``: paths to a row's places.

    ``permissions``: one of them is enough. ``case_bcu``: the path to one that counts for an HCOP alone.
    """
    roles = [role for role, held in PERMISSIONS.items() if not held.isdisjoint(permissions)]
    on_leave = Leave.objects.filter(Leave.current(day), user=OuterRef(who))
    of_teams, of_bcus = Q(), Q()
    for path in teams:
        of_teams |= Q(team=OuterRef(path))
    for path in bcus:
        of_bcus |= Q(bcu=OuterRef(path))
    if case_bcu:
        of_bcus |= Q(bcu=OuterRef(case_bcu), user__role=Role.HCOP)
    in_team = TeamMembership.objects.filter(TeamMembership.current(day), of_teams, user=OuterRef(who))
    in_bcu = BcuMembership.objects.filter(BcuMembership.current(day), of_bcus, user=OuterRef(who))
    may_not = Q(**{f"{who}__is_active": False}) | ~Q(**{f"{who}__role__in": roles})
    return may_not | Exists(on_leave) | (~Exists(in_team) & ~Exists(in_bcu))


def leave_to_come(people: Iterable[User], day: date) -> QuerySet[Leave]:
    """Their leave that is not over on that day, the first to begin first."""
    leave = Leave.objects.filter(user__in=people, back_on__gt=day, starts_on__lt=F("back_on"))
    return leave.select_related("user", "set_by").order_by("starts_on", "pk")


def teams_to_pick_from(case: Case) -> QuerySet[Team]:
    """Every open team of the case's BCU, for a case whose ward cannot decide."""
    return Team.objects.filter(borough__bcu=case.bcu_id, closed_at__isnull=True).select_related("borough")
