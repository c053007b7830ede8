"""Who and what there is: wards with their mode, people with their places, trials with their numbers."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from referrals.models import BcuMembership, Mode, TeamMembership, Trial, TrialStatus, Ward, WardMode
from referrals.queries import trials_visible_to
from referrals.scope import today
from src_app.accounts.models import User
from src_app.accounts.roles import Permission


def wards_to_keep(user: User) -> QuerySet[Ward]:
    """Every ward with its team, by borough and name; for those who keep teams and wards."""
    if not user.can(Permission.MANAGE_PLACES):
        return Ward.objects.none()
    return Ward.objects.select_related("borough__bcu", "team").order_by("borough__name", "name", "pk")


def people_to_keep(user: User) -> QuerySet[User]:
    """Every account, by name; for those who keep accounts."""
    if not user.can(Permission.MANAGE_PLACES):
        return User.objects.none()
    return User.objects.order_by("display_name", "pk")


@dataclass(frozen=True)
class WardRow:
    """A ward, its team and what happens to its suitable cases today."""

    ward: Ward
    mode: str


def modes_on(wards: Collection[Ward], day: date) -> list[WardRow]:
    """The wards with the words for their mode on that day; before its first mode, SRC for all."""
    latest: dict[int, WardMode] = {}
    in_force = WardMode.objects.filter(ward__in=wards, starts_on__lte=day).select_related("trial")
    for mode in in_force.order_by("starts_on"):
        latest[mode.ward_id] = mode
    return [WardRow(ward=ward, mode=_words(latest.get(ward.pk))) for ward in wards]


def _words(mode: WardMode | None) -> str:
    if mode is None:
        return Mode.SRC_FOR_ALL.label
    return f"{mode.get_mode_display()}: {mode.trial}" if mode.trial else mode.get_mode_display()


@dataclass(frozen=True)
class Person:
    """An account and where it belongs today."""

    user: User
    places: list[str]


def with_places(users: Iterable[User], day: date) -> list[Person]:
    """The accounts with the teams and BCUs each belongs to on that day."""
    listed = list(users)
    found = defaultdict(list)
    teams = TeamMembership.objects.filter(TeamMembership.current(day), user__in=listed)
    for team in teams.select_related("team__borough").order_by("team__name"):
        found[team.user_id].append(f"{team.team}, {team.team.borough}")
    bcus = BcuMembership.objects.filter(BcuMembership.current(day), user__in=listed)
    for bcu in bcus.select_related("bcu").order_by("bcu__name"):
        found[bcu.user_id].append(bcu.bcu.name)
    return [Person(user=user, places=found[user.pk]) for user in listed]


@dataclass(frozen=True)
class TrialRow:
    """A trial as its lead sees it before outcomes are locked: never by arm, nor what is left in a block."""

    name: str
    status: str
    commitment: str
    opened_at: datetime | None
    wards: list[str]
    units: int
    linked: int


def trial_rows(user: User) -> list[TrialRow]:
    """The trials of the account's BCUs, those that recruit first."""
    trials = (
        trials_visible_to(user)
        .annotate(
            units=Count("allocations", filter=Q(allocations__position__isnull=False)),
            linked=Count("allocations", filter=Q(allocations__follows__isnull=False)),
        )
        .order_by("name")
    )
    listed = sorted(trials, key=lambda trial: trial.status != TrialStatus.RECRUITING)
    wards = _wards_in(listed, today())
    return [
        TrialRow(
            name=trial.name,
            status=trial.get_status_display(),
            commitment=trial.commitment,
            opened_at=trial.opened_at,
            wards=wards[trial.pk],
            units=trial.units,
            linked=trial.linked,
        )
        for trial in listed
    ]


def _wards_in(trials: Sequence[Trial], day: date) -> dict[int, list[str]]:
    """For each trial, the names of the wards whose latest mode on that day is this trial."""
    now = WardMode.objects.filter(ward=OuterRef("pk"), starts_on__lte=day).order_by("-starts_on")
    found: dict[int, list[str]] = {trial.pk: [] for trial in trials}
    for trial, name in (
        Ward.objects.annotate(trial_now=Subquery(now.values("trial")[:1]))
        .filter(trial_now__in=found)
        .order_by("borough__name", "name")
        .values_list("trial_now", "name")
    ):
        found[trial].append(name)
    return found
