"""A referral's life, walked at random: whatever people do, in whatever order, these things hold."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from referrals.contact.actions.absence import return_work
from referrals.contact.actions.attempts import log_attempt, withdraw_attempt
from referrals.contact.actions.closing import choose_safe_method, close_without_contact
from referrals.contact.actions.reopening import reopen
from referrals.contact.actions.stopping import let_clock_go_on, stop_clock
from referrals.contact.actions.taking import give, give_back, take
from referrals.models import (
    CLOSED_BY_TEAM,
    CloseReason,
    ContactAttempt,
    Leave,
    Method,
    OrderReason,
    ReferralStatus,
    ReopeningReason,
    Result,
    StopReason,
    TeamMembership,
)
from referrals.places.actions.leave import end_leave, set_leave
from referrals.places.actions.membership import move
from referrals.places.readers import with_somebody_away
from referrals.review.actions.put_right import move_referral
from referrals.review.actions.refer_now import refer_now
from referrals.rules.contact import LONGEST_CALL_BACK
from referrals.scope import today
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from src_app.refused import Refused
from tests.conftest import World
from tests.factories import NOW, ReferralFactory, TeamMembershipFactory, UserFactory
from tests.thorough import repeated

_KEPT = (
    "team_id",
    "ward_id",
    "status",
    "due_at",
    "call_back_at",
    "taken_by_id",
    "given_by_id",
    "contacted_at",
    "close_reason",
)


class Life(RuleBasedStateMachine):
    """One referral, two officers and a sergeant of its team, and the HCOP; each example is undone."""

    world: World
    hcop: User
    administrator: User
    clock: time_machine.Traveller

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.at = NOW
        self.clock.move_to(self.at)
        self.referral = ReferralFactory.create(
            case__ward=self.world.wards[0], case__decided_at=NOW, made_at=NOW
        )
        self.counted_from, self.due_at = NOW, self.referral.due_at
        self.referred_at = NOW
        team = self.world.teams[0]
        self.people = [
            TeamMembershipFactory.create(user=UserFactory.create(role=role), team=team).user
            for role in (Role.OFFICER, Role.OFFICER, Role.SUPERVISOR)
        ]

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    def tried(self, action: Callable[..., Any], **given: Any) -> Any:
        """What the action returns; nothing where it is refused, or the referral is out of sight."""
        try:
            with transaction.atomic():
                return action(**given)
        except (Refused, ObjectDoesNotExist):
            return None
        finally:
            self.referral.refresh_from_db()

    person = st.integers(0, 2)

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        self.at += timedelta(hours=hours)
        self.clock.move_to(self.at)

    def _a_minute_passes(self) -> None:
        """So that what was tried before it is told from what is tried since, by its time."""
        self.at += timedelta(minutes=1)
        self.clock.move_to(self.at)

    @rule(who=person)
    def somebody_takes_it(self, who: int) -> None:
        self.tried(take, referral_id=self.referral.pk, by=self.people[who], at=self.at)

    @rule(who=person)
    def somebody_returns_it(self, who: int) -> None:
        self.tried(give_back, referral_id=self.referral.pk, by=self.people[who])

    @rule(who=person, to=person)
    def somebody_gives_it(self, who: int, to: int) -> None:
        given = {"referral_ids": [self.referral.pk], "to": self.people[to], "by": self.people[who]}
        self.tried(give, **given, at=self.at)

    @rule(who=person, result=st.sampled_from(list(Result)), whose=st.none() | person)
    def somebody_logs_an_attempt(self, who: int, result: Result, whose: int | None) -> None:
        self.tried(
            log_attempt,
            referral_id=self.referral.pk,
            key=uuid.uuid4(),
            method=Method.TELEPHONE,
            result=result,
            made_at=self.at,
            made_by=None if whose is None else self.people[whose],
            by=self.people[who],
            at=self.at,
        )

    @rule(who=person, hours=st.integers(-1, 400))
    def the_victim_asks_to_be_called_back(self, who: int, hours: int) -> None:
        call_back_at = self.at + timedelta(hours=hours)
        if self.tried(
            log_attempt,
            referral_id=self.referral.pk,
            key=uuid.uuid4(),
            method=Method.TELEPHONE,
            result=Result.CALL_BACK,
            call_back_at=call_back_at,
            made_at=self.at,
            by=self.people[who],
            at=self.at,
        ):
            assert self.referral.call_back_at == call_back_at
            assert timedelta() < call_back_at - self.at <= LONGEST_CALL_BACK

    @rule(who=person)
    def somebody_withdraws_the_last_attempt(self, who: int) -> None:
        standing = ContactAttempt.objects.filter(withdraws=None, withdrawn_by=None).order_by("-pk").first()
        if standing:
            self.tried(
                withdraw_attempt, attempt_id=standing.pk, key=uuid.uuid4(), by=self.people[who], at=self.at
            )

    @rule(who=person, reason=st.sampled_from(CLOSED_BY_TEAM))
    def somebody_closes_it(self, who: int, reason: Any) -> None:
        given = {"referral_id": self.referral.pk, "reason": reason, "by": self.people[who]}
        self.tried(close_without_contact, **given, at=self.at)

    @rule(who=person, method=st.sampled_from(list(Method)))
    def somebody_says_which_way_is_safe(self, who: int, method: Method) -> None:
        about = {"referral_id": self.referral.pk, "method": method, "by": self.people[who]}
        try:
            self.tried(choose_safe_method, **about, at=self.at)
        except NotAllowed:
            assert self.people[who].role == Role.OFFICER

    @precondition(lambda self: self.referral.status != ReferralStatus.OPEN)
    @rule(who=person, reason=st.sampled_from(list(ReopeningReason)))
    def somebody_opens_it_again(self, who: int, reason: ReopeningReason) -> None:
        self._a_minute_passes()
        about = {"referral_id": self.referral.pk, "reason": reason, "by": self.people[who]}
        try:
            opened = self.tried(reopen, **about, at=self.at)
        except NotAllowed:
            assert self.people[who].role == Role.OFFICER
            return
        if opened:
            assert self.referral.status == ReferralStatus.OPEN
            assert self.referral.reopenings.filter(reopened_at=self.at).exists()
            if reason == ReopeningReason.VICTIM_ASKED:
                assert self.referral.due_at > self.at
                self.counted_from, self.due_at = self.at, self.referral.due_at
                self.referred_at = self.at

    @rule(who=person, days=st.integers(1, 4))
    def somebody_goes_on_leave(self, who: int, days: int) -> None:
        user, first = self.people[who], today()
        back = first + timedelta(days=days)
        self.tried(set_leave, user=user, starts_on=first, back_on=back, by=user, at=self.at)

    @rule(who=person)
    def somebody_ends_their_leave(self, who: int) -> None:
        leave = Leave.objects.filter(Leave.current(today()), user=self.people[who]).first()
        if leave:
            self.tried(end_leave, leave_id=leave.pk, by=self.people[who])

    @rule(who=person, team=st.integers(0, 1))
    def somebody_moves_to_another_team(self, who: int, team: int) -> None:
        places = {"teams": [self.world.teams[team]], "bcus": None}
        self.tried(move, user=self.people[who], **places, on=today(), by=self.administrator)

    @rule(ward=st.integers(0, 1))
    def the_hcop_moves_it(self, ward: int) -> None:
        self.tried(
            move_referral,
            case_id=self.referral.case_id,
            seen=self.referral.ward_id,
            ward=self.world.wards[ward],
            why="Moved house",
            by=self.hcop,
            at=self.at,
        )

    @precondition(lambda self: self.referral.status == ReferralStatus.CLOSED)
    @rule()
    def the_hcop_refers_it_again(self) -> None:
        self._a_minute_passes()
        given = {"case_id": self.referral.case_id, "reason": OrderReason.HIGH_RISK, "by": self.hcop}
        if self.tried(refer_now, key=uuid.uuid4(), **given, at=self.at):
            assert self.referral.due_at > self.at
            self.counted_from, self.due_at = self.at, self.referral.due_at
            self.referred_at = self.at
            assert not self.referral.is_stopped(self.at)

    @rule(who=person, hours=st.integers(1, 400), reason=st.sampled_from(list(StopReason)))
    def somebody_stops_its_clock(self, who: int, hours: int, reason: StopReason) -> None:
        until = self.at + timedelta(hours=hours)
        given = {"referral_id": self.referral.pk, "reason": reason, "until": until}
        if self.tried(stop_clock, **given, by=self.people[who], at=self.at):
            assert self.referral.is_stopped(self.at)

    @rule(who=person)
    def somebody_lets_its_clock_go_on(self, who: int) -> None:
        if self.tried(let_clock_go_on, referral_id=self.referral.pk, by=self.people[who], at=self.at):
            assert not self.referral.is_stopped(self.at)

    @rule()
    def the_sweep_comes(self) -> None:
        return_work(by=User.objects.system(), at=self.at)
        self.referral.refresh_from_db()
        assert not with_somebody_away(today()).exists()
        holder = self.referral.taken_by
        if self.referral.status == ReferralStatus.OPEN and holder:
            assert not Leave.objects.filter(Leave.current(today()), user=holder).exists()
            member = TeamMembership.objects.filter(TeamMembership.current(today()), user=holder)
            assert member.filter(team=self.referral.team).exists()

    @invariant()
    def the_due_time_is_moved_by_nothing_but_a_new_referral_and_the_time_its_clock_stood(self) -> None:
        stops = self.referral.stops.filter(starts_at__gte=self.counted_from)
        stood = sum((stop.ends_at - stop.starts_at for stop in stops), timedelta())
        assert self.referral.due_at == self.due_at + stood

    @invariant()
    def each_move_of_the_due_time_begins_where_the_one_before_ended(self) -> None:
        moves = list(self.referral.due_moves.filter(moved_at__gte=self.counted_from).order_by("pk"))
        if moves and self.due_at == moves[0].from_due_at:
            ends = [self.due_at, *(move.to_due_at for move in moves)]
            assert [move.from_due_at for move in moves] == ends[:-1]
            assert ends[-1] == self.referral.due_at

    @invariant()
    def a_call_back_is_that_of_the_last_attempt_since_it_was_referred(self) -> None:
        standing = self.referral.attempts.filter(withdraws=None, withdrawn_by=None)
        last = standing.filter(logged_at__gte=self.referred_at).order_by("made_at", "pk").last()
        assert self.referral.call_back_at == (last.call_back_at if last else None)
        assert self.referral.act_by == min(filter(None, [self.referral.due_at, self.referral.call_back_at]))

    @invariant()
    def it_is_closed_as_unsafe_once_a_supervisor_has_decided_that_no_way_is_safe(self) -> None:
        if self.referral.close_reason == CloseReason.UNSAFE:
            decisions = self.referral.safety_decisions.filter(method="", decided_at__gte=self.referred_at)
            assert decisions.filter(decided_by=self.people[2]).exists()

    @invariant()
    def an_open_question_whether_it_is_safe_was_raised_since_the_last_answer(self) -> None:
        asked = self.referral.follow_ups.filter(kind="unsafe", done_at=None).order_by("raised_at").first()
        answered = self.referral.safety_decisions.order_by("pk").last()
        assert asked is None or answered is None or asked.raised_at >= answered.decided_at

    @invariant()
    def contact_counts_from_the_attempt_that_made_it(self) -> None:
        made = ContactAttempt.objects.filter(
            withdraws=None, withdrawn_by=None, result=Result.CONTACT_MADE
        ).values_list("made_at", flat=True)
        is_completed = self.referral.status == ReferralStatus.COMPLETED
        assert is_completed == (self.referral.contacted_at is not None)
        assert not is_completed or self.referral.contacted_at in set(made)

    @invariant()
    def the_history_ends_with_what_is(self) -> None:
        last = (
            apps.get_model("referrals", "ReferralEvent")
            .objects.filter(pgh_obj=self.referral)
            .latest("pgh_id")
        )
        assert [getattr(last, name) for name in _KEPT] == [getattr(self.referral, name) for name in _KEPT]


def test_whatever_is_done_to_a_referral_it_stays_whole(
    world: World, hcop: User, administrator: User, clock: time_machine.Traveller, system: User, now: datetime
) -> None:
    Life.world, Life.hcop, Life.administrator, Life.clock = world, hcop, administrator, clock
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=repeated(12, 300),
            stateful_step_count=repeated(25, 60),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture(autouse=True)
def _no_example_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Workers share no database of examples."""
    monkeypatch.chdir(tmp_path)
