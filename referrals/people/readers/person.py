"""One person: where they belonged when, and what was changed of the account by whom."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db.models import Count

from referrals.models import BcuMembership, TeamMembership
from referrals.places.actions.membership import IN_BCUS, IN_TEAMS
from referrals.places.readers import with_somebody_away
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.roles import Role
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.templatetags.words import day

MOST_CHANGES = 100


@dataclass(frozen=True)
class Stay:
    """Where somebody belonged, belongs, or will belong; from the day ``ends_on`` they do no more."""

    place: str
    starts_on: date
    ends_on: date | None
    is_over: bool


def stays_of(user: User, on: date) -> list[Stay]:
    """Every membership that lasted for a day at least, the latest first."""
    teams = TeamMembership.objects.filter(user=user).select_related("team__borough")
    bcus = BcuMembership.objects.filter(user=user).select_related("bcu")
    named = [
        *((f"{each.team}, {each.team.borough}", each) for each in teams),
        *((each.bcu.name, each) for each in bcus),
    ]
    stays = [
        Stay(place, each.starts_on, each.ends_on, is_over=each.ends_on is not None and each.ends_on <= on)
        for place, each in named
        if each.ends_on != each.starts_on
    ]
    return sorted(stays, key=lambda stay: (stay.starts_on, stay.place), reverse=True)


@dataclass(frozen=True)
class Kept:
    """Open referrals of one team that somebody has taken who belongs to it no more."""

    team: str
    count: int


def still_taken(user: User, on: date) -> list[Kept]:
    """How many referrals go back to each team. Which ones is not said here."""
    taken = with_somebody_away(on).filter(taken_by=user)
    counted = taken.values("team__name").annotate(count=Count("pk")).order_by("team__name")
    return [Kept(each["team__name"], each["count"]) for each in counted]


@dataclass(frozen=True)
class Change:
    """What was changed of an account, when and by whom; ``to`` is the value where it may be said."""

    at: datetime
    by: str
    what: str
    fields: list[str]
    to: str


_CHANGES = (
    Action.ACCOUNT_MADE,
    Action.ACCOUNT_CHANGED,
    Action.ACCOUNT_CLOSED,
    Action.ACCOUNT_REOPENED,
    Action.SIGN_IN_RESET,
)


def changes_of(user: User) -> list[Change]:
    """The last changes of an account and of its places, the latest first; in five queries."""
    entries = AuditEntry.objects.filter(
        references__contains=[user.username], purpose=Purpose.ADMINISTRATION, action__in=_CHANGES
    )
    events = _history("accounts", "UserEvent").filter(pgh_obj_id=user.pk).order_by("pk")
    after = {(event.pgh_context or {}).get("request"): event for event in events}
    changes = [
        Change(
            at=entry.at,
            by=str(entry.actor or ""),
            what=entry.get_action_display(),
            fields=[_FIELDS.get(name, name) for name in entry.fields],
            to=_said(after.get(str(entry.request_id)), entry.fields),
        )
        for entry in entries.select_related("actor").order_by("-at", "-pk")[:MOST_CHANGES]
    ]
    moves = sorted([*changes, *_moves(user)], key=lambda change: change.at, reverse=True)
    return moves[:MOST_CHANGES]


def _history(app: str, model: str) -> Any:
    return apps.get_model(app, model).objects


def _moves(user: User) -> list[Change]:
    """What was said of where the person belongs, each time it was said."""
    teams = _history("referrals", "TeamMembershipEvent").filter(user_id=user.pk).select_related("team")
    bcus = _history("referrals", "BcuMembershipEvent").filter(user_id=user.pk).select_related("bcu")
    events = [(each.team, each) for each in teams.order_by("-pk")[:MOST_CHANGES]]
    events += [(each.bcu, each) for each in bcus.order_by("-pk")[:MOST_CHANGES]]
    by = [(event.pgh_context or {}).get("user") for _, event in events]
    people = User.objects.in_bulk([pk for pk in by if pk is not None])
    return [
        Change(
            at=event.pgh_created_at,
            by=str(people.get(pk, "")),
            what=f"Belongs to {place}",
            fields=[],
            to=f"until {day(event.ends_on)}" if event.ends_on else f"from {day(event.starts_on)}",
        )
        for (place, event), pk in zip(events, by, strict=True)
    ]


_FIELDS = {
    "display_name": "name",
    "email": "e-mail address",
    "username": "user name",
    "is_active": "may sign in",
    "closed_because": "why",
    "second_factor": "second factor",
}


def _said(event: Any, fields: list[str]) -> str:
    """The name, role or reason as the change left it; an e-mail address is kept in no history."""
    if event is None:
        return ""
    words = {
        "display_name": event.display_name,
        "role": Role.label_of(event.role),
        "closed_because": ClosedBecause.label_of(event.closed_because),
    }
    return "; ".join(words[name] for name in ("display_name", "role", "closed_because") if name in fields)


def may_belong(role: str) -> str:
    """Where somebody of that role may belong, in a sentence."""
    teams, bcus = role in IN_TEAMS, role in IN_BCUS
    if teams and bcus:
        return "A person of this role belongs to teams or to a BCU."
    if teams or bcus:
        return f"A person of this role belongs to {'teams' if teams else 'a BCU'}."
    return "A person of this role belongs to no team and to no BCU."
