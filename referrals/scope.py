"""Where an account belongs today: what the scope of every row is made of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date

from django.db.models import (
    F,
    Q,
    QuerySet,
    Value,
)
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from referrals.models import (
    FOR_THE_HCOP,
    RING_AGAIN,
    Allocation,
    Bcu,
    BcuMembership,
    Case,
    CaseImport,
    FollowUp,
    Referral,
    Submission,
    Team,
    TeamMembership,
    Trial,
    TrialStatus,
    Ward,
)
from src_app.accounts.models import User
from src_app.accounts.roles import Permission, Role


def today() -> date:
    """The date in London."""
    return timezone.localdate()


@dataclass(frozen=True)
class Places:
    """Keys of the teams and of the BCUs that an account belongs to today; with a team those merged into it.

    Keys and no subquery: with them the database walks an index in the order of a list.
    """

    teams: tuple[int, ...] = ()
    bcus: tuple[int, ...] = ()


_asked: ContextVar[dict[int, Places] | None] = ContextVar("places", default=None)


def places_of(user: User) -> Places:
    """Where the account belongs today; one query, or none where this request has asked already."""
    asked = _asked.get()
    if asked is None:
        return _read(user)
    if user.pk not in asked:
        asked[user.pk] = _read(user)
    return asked[user.pk]


def _read(user: User) -> Places:
    day = today()
    teams = TeamMembership.objects.filter(TeamMembership.current(day), user=user)
    bcus = BcuMembership.objects.filter(BcuMembership.current(day), user=user)
    merged = Team.objects.filter(merged_into__in=teams.values("team"))
    found: dict[str, list[int]] = {"team": [], "bcu": []}
    for kind, place in teams.values_list(Value("team"), F("team_id")).union(
        merged.values_list(Value("team"), F("pk")), bcus.values_list(Value("bcu"), F("bcu_id")), all=True
    ):
        found[kind].append(place)
    return Places(teams=tuple(sorted(found["team"])), bcus=tuple(sorted(found["bcu"])))


@contextmanager
def asked_once() -> Iterator[None]:
    """Within this block the places of an account are read once and kept."""
    token = _asked.set({})
    try:
        yield
    finally:
        _asked.reset(token)


class PlacesMiddleware:
    """Reads the places of an account once a request, since a page reads many tables through them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with asked_once():
            return self.get_response(request)


def bcus_of(user: User) -> QuerySet[Bcu]:
    """The BCUs this account belongs to today."""
    return Bcu.objects.filter(pk__in=places_of(user).bcus)


def teams_of(user: User) -> QuerySet[Team]:
    """The neighbourhood teams this account belongs to today."""
    return Team.objects.filter(pk__in=places_of(user).teams, closed_at__isnull=True)


def teams_led_by(user: User) -> QuerySet[Team]:
    """Teams whose work the account sees to: its own (supervisors), or those of its BCUs as well."""
    if not user.can(Permission.CHASE_REFERRALS):
        return Team.objects.none()
    return Team.objects.filter(_within(places_of(user), team="pk", bcu="borough__bcu"))


def cases_visible_to(user: User) -> QuerySet[Case]:
    """Cases, control cases among them: for those who review, and nobody else."""
    if not user.can(Permission.VIEW_CASES):
        return Case.objects.none()
    return Case.objects.filter(bcu__in=places_of(user).bcus)


def referrals_visible_to(user: User) -> QuerySet[Referral]:
    """Referrals of the account's own teams and of the teams of its BCUs; to an HCOP also those of its cases.

    One that was transferred to another BCU is the receiving team's, and its case stays the sending BCU's.
    """
    if not user.can(Permission.VIEW_REFERRALS):
        return Referral.objects.none()
    places = places_of(user)
    visible = _within(places, team="team", bcu="team__borough__bcu")
    if user.can(Permission.VIEW_CASES):
        visible |= Q(case__bcu__in=places.bcus)
    return Referral.objects.filter(visible)


def referrals_led_by(user: User) -> QuerySet[Referral]:
    """Referrals of the teams whose work the account sees to, and of no other."""
    if not user.can(Permission.CHASE_REFERRALS):
        return Referral.objects.none()
    return Referral.objects.filter(_within(places_of(user), team="team", bcu="team__borough__bcu"))


def cases_to_find(user: User) -> QuerySet[Case]:
    """Cases that a search may name: those of the account's BCUs, and those of the referrals it may see."""
    if not user.can(Permission.VIEW_REFERRALS):
        return Case.objects.none()
    places = places_of(user)
    found = _within(places, team="referral__team", bcu="referral__team__borough__bcu")
    if user.can(Permission.VIEW_CASES):
        found |= Q(bcu__in=places.bcus)
    return Case.objects.filter(found)


def bcus_to_confirm_flags_of(user: User) -> QuerySet[Bcu]:
    """The BCUs whose flags the account sees to: its own; commands work for all."""
    if not user.can(Permission.CONFIRM_FLAGS):
        return Bcu.objects.none()
    return Bcu.objects.all() if user.role == Role.SYSTEM else bcus_of(user)


def flags_visible_to(user: User) -> QuerySet[Referral]:
    """Referrals whose flag the account sees to: of its BCUs' cases; commands work for all."""
    if not user.can(Permission.CONFIRM_FLAGS):
        return Referral.objects.none()
    if user.role == Role.SYSTEM:
        return Referral.objects.all()
    return Referral.objects.filter(case__bcu__in=places_of(user).bcus)


def wards_visible_to(user: User) -> QuerySet[Ward]:
    """The wards whose compliance the account may see: of its BCUs, or of its own teams."""
    if not user.can(Permission.VIEW_COMPLIANCE):
        return Ward.objects.none()
    return Ward.objects.filter(_within(places_of(user), team="team", bcu="borough__bcu"))


def _within(places: Places, *, team: str, bcu: str) -> Q:
    """A condition for rows of these places; ``team`` and ``bcu`` are the paths from a row to its own."""
    of_teams, of_bcus = Q(**{f"{team}__in": places.teams}), Q(**{f"{bcu}__in": places.bcus})
    if not places.bcus:
        return of_teams
    return of_teams | of_bcus if places.teams else of_bcus


def imports_visible_to(user: User) -> QuerySet[CaseImport]:
    """Extracts uploaded for the account's BCUs."""
    if not user.can(Permission.IMPORT_CASES):
        return CaseImport.objects.none()
    return CaseImport.objects.filter(bcu__in=places_of(user).bcus)


def bcus_to_import_for(user: User) -> QuerySet[Bcu]:
    """The BCUs whose extracts the account may import: its own; commands and tasks work for all."""
    if not user.can(Permission.IMPORT_CASES):
        return Bcu.objects.none()
    return Bcu.objects.all() if user.role == Role.SYSTEM else bcus_of(user)


def submissions_visible_to(user: User) -> QuerySet[Submission]:
    """Submitted days of the account's BCUs."""
    if not user.can(Permission.REVIEW_CASES):
        return Submission.objects.none()
    return Submission.objects.filter(bcu__in=places_of(user).bcus)


def follow_ups_visible_to(user: User) -> QuerySet[FollowUp]:
    """What somebody must act on, for referrals the account may see; some of it is the HCOP's alone.

    So is all that is about a case without a referral: it may be a control. The HCOP is that of the case's
    BCU, also where the referral was transferred to another. Officers see what their teams are asked to do.
    """
    places = places_of(user)
    of_teams = _within(places, team="referral__team", bcu="referral__team__borough__bcu")
    if not user.can(Permission.ACKNOWLEDGE_FOLLOW_UPS):
        kinds = RING_AGAIN if user.can(Permission.CONTACT_VICTIMS) else ()
        return FollowUp.objects.filter(of_teams, kind__in=kinds)
    visible = of_teams & ~Q(kind__in=FOR_THE_HCOP)
    if user.can(Permission.REVIEW_CASES):
        visible |= Q(referral__case__bcu__in=places.bcus) | Q(case__bcu__in=places.bcus)
    return FollowUp.objects.filter(visible)


def trials_visible_to(user: User) -> QuerySet[Trial]:
    """Trials of the account's BCUs, without their seed."""
    if not user.can(Permission.VIEW_TRIALS):
        return Trial.objects.none()
    return Trial.objects.filter(bcu__in=places_of(user).bcus).defer("seed_encrypted")


def trials_to_export(user: User) -> QuerySet[Trial]:
    """Trials whose chain the account may give outside: of its BCUs; commands work for all."""
    if not user.can(Permission.EXPORT_TRIALS):
        return Trial.objects.none()
    trials = Trial.objects.defer("seed_encrypted")
    return trials if user.role == Role.SYSTEM else trials.filter(bcu__in=places_of(user).bcus)


def allocations_visible_to(user: User) -> QuerySet[Allocation]:
    """Allocations of the account's BCUs, arms among them: for those who see the cases."""
    if not user.can(Permission.RECORD_DEVIATIONS):
        return Allocation.objects.none()
    return Allocation.objects.filter(case__bcu__in=places_of(user).bcus)


def trials_to_check(user: User) -> QuerySet[Trial]:
    """Trials of the account's BCUs that have begun, for those who look their controls up; without seed."""
    if not user.can(Permission.RECORD_DEVIATIONS):
        return Trial.objects.none()
    begun = TrialStatus.since(TrialStatus.RECRUITING)
    return Trial.objects.filter(bcu__in=places_of(user).bcus, status__in=begun).defer("seed_encrypted")
