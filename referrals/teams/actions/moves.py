"""Wards go to another team, or a whole team becomes part of another, from a day on."""

from collections.abc import Collection
from datetime import date, datetime

import structlog
from django.db import DatabaseError, transaction
from django.db.models import F, QuerySet

from referrals.contact.actions.hand_over import hand_over
from referrals.mail.outbox import queue, readdress
from referrals.models import (
    Case,
    Decision,
    HandOverReason,
    MailKind,
    PlaceMove,
    Referral,
    ReferralStatus,
    Team,
    Ward,
)
from referrals.places.actions.mailboxes import drop_test
from referrals.places.actions.membership import move_members
from referrals.places.actions.teams import open_team
from referrals.scope import today
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.database import PLACES_LOCK, wait_for_advisory_lock
from src_app.refused import Refused
from src_app.templatetags.words import day

log = structlog.get_logger(__name__)


def move_wards(
    *, from_team: Team, wards: Collection[Ward], to_team: Team, starts_on: date, by: User, at: datetime
) -> PlaceMove:
    """Gives wards of a team to another of the BCU, today or on a day to come; their open referrals go along.

    Raises :class:`Refused` where that cannot be, or is planned already.
    """
    with transaction.atomic():
        _check(from_team, to_team, starts_on, by)
        if not wards:
            raise Refused("Nothing is chosen yet: tick at least one ward.")
        elsewhere = [ward.name for ward in wards if ward.team_id != from_team.pk]
        if elsewhere:
            raise Refused(f"{', '.join(sorted(elsewhere))}: not a ward of {from_team} by now. Look again.")
        planned = PlaceMove.objects.filter(PlaceMove.waits(), wards__in=wards).distinct()
        if known := planned.first():
            raise Refused(f"Planned already for {day(known.starts_on)}: {known}. Drop that first.")
        return _plan(from_team, to_team, wards, starts_on, by, at)


def merge_team(*, from_team: Team, to_team: Team, starts_on: date, by: User, at: datetime) -> PlaceMove:
    """Makes a team part of another of the BCU, today or on a day to come, with all that it has by then.

    Its wards, people, open referrals and follow-ups go along; its history stays with it, and it is closed.
    Raises :class:`Refused` where that cannot be, or is planned already.
    """
    with transaction.atomic():
        _check(from_team, to_team, starts_on, by)
        planned = PlaceMove.objects.filter(PlaceMove.waits())
        for known in [
            *planned.filter(from_team=from_team, is_merge=True),
            *planned.filter(to_team=from_team),
        ]:
            raise Refused(f"Planned already for {day(known.starts_on)}: {known}. Drop that first.")
        return _plan(from_team, to_team, [], starts_on, by, at, is_merge=True)


def drop_move(*, move_id: int, by: User, at: datetime) -> PlaceMove:
    """Takes back what was planned for a day to come; both teams are told. Twice changes nothing."""
    check_authority(by, Permission.MANAGE_PLACES)
    with transaction.atomic():
        move = _locked(move_id)
        if move.done_at is not None:
            raise Refused("It was carried out already: move it back from a day on, if that is wanted.")
        if move.dropped_at is None:
            move.dropped_at, move.dropped_by = at, by
            move.save(update_fields=["dropped_at", "dropped_by"])
            _record(Action.MOVE_DROPPED, move, by, ["dropped_at", "dropped_by"])
            _tell(move, "dropped", at)
    return move


def carry_out_moves(*, by: User, at: datetime) -> int:
    """The sweep: carries out what was planned for today or before; returns how many moves.

    Each is a transaction of its own. One that cannot be carried out does not hold up the others, and is tried
    again; why is kept with it, and the administrator is told as of anything late. What was referred to a team
    while its ward went to another goes there, too.
    """
    check_authority(by, Permission.MANAGE_PLACES)
    due = PlaceMove.objects.filter(PlaceMove.waits(), starts_on__lte=today()).order_by("starts_on", "pk")
    done = sum(_tried(pk, by, at) for pk in due.values_list("pk", flat=True))
    left_behind = Referral.objects.filter(status=ReferralStatus.OPEN).exclude(team=F("ward__team"))
    if left_behind.exists():
        with transaction.atomic():
            _hand_over_all(left_behind, by, at)
    return done


def _tried(move_id: int, by: User, at: datetime) -> bool:
    try:
        with transaction.atomic():
            move = _locked(move_id)
            if move.done_at is not None or move.dropped_at is not None:
                return False
            _carry_out(move, by, at)
    except (DatabaseError, Refused) as error:
        log.error("move of places not carried out", move=move_id, error=type(error).__name__)
        why = str(error) if isinstance(error, Refused) else "The database refused it."
        with transaction.atomic():
            PlaceMove.objects.filter(PlaceMove.waits(), pk=move_id).update(refused_because=why[:300])
        return False
    return True


def _check(from_team: Team, to_team: Team, starts_on: date, by: User) -> None:
    """Raises :class:`Refused` where nothing can go from one to the other; keeps other moves waiting."""
    check_authority(by, Permission.MANAGE_PLACES)
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    wait_for_advisory_lock(PLACES_LOCK)
    if starts_on < today():
        raise Refused("Choose today or a later day: what was before stays as it was.")
    if from_team == to_team:
        raise Refused("That is the same team: choose another.")
    # Read anew: they may have changed since the page was opened.
    for team in Team.objects.filter(pk__in=[from_team.pk, to_team.pk]).select_related("borough"):
        if team.closed_at is not None:
            raise Refused(f"{team} is closed: choose another team.")
        if team.borough.bcu_id != from_team.borough.bcu_id:
            raise Refused("The two teams are not of one BCU: choose another.")
    ends = PlaceMove.objects.filter(PlaceMove.waits(), from_team=to_team, is_merge=True).first()
    if ends is not None:
        raise Refused(f"From {day(ends.starts_on)} {ends}: choose that team, or drop that first.")


def _plan(
    from_team: Team,
    to_team: Team,
    wards: Collection[Ward],
    starts_on: date,
    by: User,
    at: datetime,
    *,
    is_merge: bool = False,
) -> PlaceMove:
    move = PlaceMove.objects.create(
        from_team=from_team, to_team=to_team, is_merge=is_merge, starts_on=starts_on, set_at=at, set_by=by
    )
    move.wards.set(wards)
    if starts_on <= today():
        _carry_out(move, by, at)
    else:
        _record(Action.MOVE_PLANNED, move, by, ["from_team", "to_team", "wards", "starts_on"])
        _tell(move, "planned", at)
    return move


def _carry_out(move: PlaceMove, by: User, at: datetime) -> None:
    """All that a move changes. Cases are locked before referrals, and the old team last."""
    wards = Ward.objects.filter(team=move.from_team)
    if not move.is_merge:
        wards = wards.filter(moves=move)
    keys = list(wards.values_list("pk", flat=True))
    if move.is_merge:
        move_members(from_team=move.from_team, to_team=move.to_team, on=today(), by=by)
    codes = []
    for ward in Ward.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True):
        codes.append(ward.code)
        ward.team = move.to_team
        ward.save(update_fields=["team"])
    # Of a team that ends, all that it has.
    referrals = Referral.objects.filter(team=move.from_team, status=ReferralStatus.OPEN)
    if not move.is_merge:
        referrals = referrals.filter(ward__in=keys)
    _hand_over_all(referrals, by, at, to_team=move.to_team, is_merge=move.is_merge)
    if move.is_merge:
        _end(move, by, at)
        _record(Action.TEAM_MERGED, move, by, ["closed_at", "closed_by", "merged_into"], codes)
    else:
        _record(Action.WARDS_MOVED, move, by, ["team"], codes)
    move.done_at = at
    move.save(update_fields=["done_at"])
    _tell(move, "done", at)


def _hand_over_all(
    referrals: QuerySet[Referral],
    by: User,
    at: datetime,
    *,
    to_team: Team | None = None,
    is_merge: bool = False,
) -> None:
    """Gives them to the team that has their ward now, or to ``to_team`` where that is another."""
    cases = referrals.order_by("case_id").values_list("case_id", flat=True)
    in_order = {case.pk: case for case in _locked_cases(list(cases))}
    locked = referrals.filter(case__in=in_order).select_related("team", "ward__team", "taken_by")
    for referral in locked.order_by("case_id").select_for_update(of=("self",)):
        referral.case = in_order[referral.case_id]
        # The team may have been chosen by hand, for a ward that another covers by now.
        ward = referral.ward if to_team in (None, referral.ward.team) else _ward_of(to_team)
        reason = HandOverReason.REORGANISED
        hand_over(referral=referral, ward=ward, reason=reason, is_merge=is_merge, by=by, at=at)


def _locked_cases(keys: list[int]) -> list[Case]:
    return list(Case.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True))


def _ward_of(team: Team) -> Ward:
    """The ward under which a contact by the team is counted where no other decides: its first by code."""
    ward = team.wards.select_related("team").order_by("code").first()
    if ward is None:
        raise Refused(f"{team} covers no ward, and cannot take referrals over: choose another team.")
    return ward


def _end(move: PlaceMove, by: User, at: datetime) -> None:
    """Closes the merged team, with whatever still named it."""
    old, new = move.from_team, move.to_team
    Decision.objects.filter(team=old, submission__isnull=True).update(team=new)
    old = open_team(old.pk)
    if Referral.objects.filter(team=old, status=ReferralStatus.OPEN).exists():
        raise Refused(f"A referral came to {old} at this moment, and nothing was changed: try again.")
    drop_test(old)
    Team.objects.filter(merged_into=old).update(merged_into=new)
    for other in PlaceMove.objects.filter(PlaceMove.waits(), from_team=old).exclude(pk=move.pk):
        drop_move(move_id=other.pk, by=by, at=at)
    old.closed_at, old.closed_by, old.merged_into = at, by, new
    old.save(update_fields=["closed_at", "closed_by", "merged_into"])
    readdress(team=new, old=old.mailbox, at=at)


def _tell(move: PlaceMove, what: str, at: datetime) -> None:
    """One message to each of the two teams."""
    for team in (move.from_team, move.to_team):
        key = f"{MailKind.PLACE_MOVE}:{move.pk}:{what}:{team.pk}"
        queue(kind=MailKind.PLACE_MOVE, place_move=move, recipient=team.mailbox, unique_key=key, at=at)


def _locked(move_id: int) -> PlaceMove:
    wait_for_advisory_lock(PLACES_LOCK)
    moves = PlaceMove.objects.select_related("from_team__borough", "to_team__borough")
    return moves.select_for_update(of=("self",)).get(pk=move_id)


def _record(
    action: Action, move: PlaceMove, by: User, fields: list[str], codes: Collection[str] | None = None
) -> None:
    """Under the two teams and the codes of the wards; both are told by mail.

    ``codes``: of the wards that went; otherwise those that are to go.
    """
    teams = (move.from_team, move.to_team)
    if codes is None:
        wards = Ward.objects.filter(team=move.from_team) if move.is_merge else move.wards
        codes = wards.values_list("code", flat=True)
    record(
        action,
        by=by,
        purpose=Purpose.ADMINISTRATION,
        subject="team",
        references=[*(f"team {team.pk}" for team in teams), *sorted(codes)],
        fields=fields,
        recipients=sorted({team.mailbox for team in teams}),
    )
