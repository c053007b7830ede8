"""Reminders by the deadlines of each BCU: which step, to whom, when; and of reports that wait."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from django.core.mail import EmailMessage

from referrals.mail.outbox import deliver
from referrals.mail.reminders import (
    remind_due,
    remind_of_call_backs,
    tell_of_late_decisions,
    tell_of_late_follow_ups,
)
from referrals.models import Case, FollowUp, FollowUpKind, LateDecision, MailKind, Notification, Referral
from referrals.rules.deadlines import LONDON
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import NOW, CaseFactory, DeadlinePolicyFactory, FollowUpFactory, LeaveFactory

pytestmark = pytest.mark.usefixtures("clock")
MakeReferral = Callable[..., Referral]
HOUR = timedelta(hours=1)


def at_work(user: User) -> str:
    address = f"{user.username}@example.police.uk"
    User.objects.filter(pk=user.pk).update(email=address)
    return address


def told() -> list[tuple[str, str]]:
    """Kinds and recipients, in the order in which they were queued; and forgets nothing."""
    return list(Notification.objects.order_by("pk").values_list("kind", "recipient"))


@pytest.fixture
def referral(make_referral: MakeReferral) -> Referral:
    """Due in ten hours, of a window of a hundred."""
    return make_referral(made_at=NOW - 90 * HOUR, due_at=NOW + 10 * HOUR)


@pytest.fixture
def policy(world: World) -> None:
    """Steps of everybody's own."""
    DeadlinePolicyFactory.create(
        bcu=world.south_west,
        remind_taker=[-12, 24],
        remind_mailbox=[-4, 0],
        remind_supervisor=[24, 72],
        remind_hcop=[72],
    )


@pytest.mark.usefixtures("policy")
def test_each_is_told_at_their_own_steps_and_once(
    referral: Referral, officer: User, supervisor: User, hcop: User, system: User
) -> None:
    taker, sergeant, first_hcop = at_work(officer), at_work(supervisor), at_work(hcop)
    Referral.objects.filter(pk=referral.pk).update(taken_by=officer, taken_at=NOW)
    mailbox = referral.team.mailbox
    expected: list[tuple[str, str]] = []
    for hours, new in (
        (0, [(MailKind.DUE_SOON, taker)]),
        (5, []),
        (6, [(MailKind.DUE_SOON, mailbox)]),
        (10, []),
        (10.1, [(MailKind.OVERDUE, mailbox)]),
        (34, [(MailKind.OVERDUE, taker), (MailKind.OVERDUE, sergeant)]),
        (82, [(MailKind.OVERDUE, sergeant), (MailKind.OVERDUE, first_hcop)]),
        (400, []),
    ):
        expected += new
        for _ in range(2):
            remind_due(by=system, at=NOW + hours * HOUR)
            assert sorted(told()) == sorted(expected), f"after {hours} hours"


@pytest.mark.usefixtures("policy")
def test_of_what_was_missed_each_gets_the_last_step_alone(
    referral: Referral, supervisor: User, system: User
) -> None:
    sergeant = at_work(supervisor)
    assert remind_due(by=system, at=NOW + 500 * HOUR) == 1
    assert sorted(told()) == sorted([(MailKind.OVERDUE, referral.team.mailbox), (MailKind.OVERDUE, sergeant)])


@pytest.mark.usefixtures("policy")
def test_a_due_time_that_was_moved_has_its_own_reminders(referral: Referral, system: User) -> None:
    remind_due(by=system, at=NOW + 11 * HOUR)
    Referral.objects.filter(pk=referral.pk).update(due_at=NOW + 30 * HOUR)
    remind_due(by=system, at=NOW + 12 * HOUR)
    remind_due(by=system, at=NOW + 31 * HOUR)
    assert [kind for kind, _ in told()] == [MailKind.OVERDUE, MailKind.OVERDUE]


@pytest.mark.usefixtures("policy")
def test_who_is_away_or_has_no_address_is_not_told(
    referral: Referral, supervisor: User, hcop: User, system: User
) -> None:
    at_work(supervisor)
    LeaveFactory.create(user=supervisor, back_on=date(2026, 12, 24))
    remind_due(by=system, at=NOW + 90 * HOUR)
    assert told() == [(MailKind.OVERDUE, referral.team.mailbox)]


def test_each_bcu_reminds_by_its_own_steps_and_by_the_settings_without_any(
    make_referral: MakeReferral, world: World, system: User
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, remind_mailbox=[], remind_taker=[])
    overdue = {"made_at": NOW - 90 * HOUR, "due_at": NOW - HOUR}
    make_referral(**overdue)
    other = make_referral(ward=world.north_ward, **overdue)
    assert remind_due(by=system, at=NOW) == 1
    assert told() == [(MailKind.OVERDUE, other.team.mailbox)]


def test_in_quiet_hours_reminders_wait_until_they_end(
    make_referral: MakeReferral, world: World, system: User
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, quiet_from=time(22), quiet_until=time(7))
    make_referral(made_at=NOW - 90 * HOUR, due_at=datetime(2026, 11, 24, 1, tzinfo=LONDON))
    remind_due(by=system, at=NOW)
    for hour, minute, expected in ((1, 30, 1), (6, 59, 1), (7, 0, 2)):
        remind_due(by=system, at=datetime(2026, 11, 24, hour, minute, tzinfo=LONDON))
        assert Notification.objects.count() == expected, hour


def test_what_goes_to_somebody_in_charge_is_no_address_in_the_log_and_goes_out(
    referral: Referral, world: World, supervisor: User, system: User, mailoutbox: list[EmailMessage]
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, remind_mailbox=[], remind_supervisor=[0])
    sergeant = at_work(supervisor)
    remind_due(by=system, at=NOW + 11 * HOUR)
    assert deliver(notification_id=Notification.objects.get().pk, by=system, at=NOW + 11 * HOUR)
    assert [mail.to for mail in mailoutbox] == [[sergeant]]
    assert AuditEntry.objects.get(action=Action.MAIL_SENT).recipients == []


def test_nothing_reminds_while_the_clock_is_stopped(referral: Referral, system: User) -> None:
    Referral.objects.filter(pk=referral.pk).update(stopped_until=NOW + 20 * HOUR, due_at=NOW + 23 * HOUR)
    assert remind_due(by=system, at=NOW + 19 * HOUR) == 0
    assert remind_due(by=system, at=NOW + 20 * HOUR) == 1


def test_a_reminder_that_waits_is_given_up_when_the_clock_stops(
    referral: Referral, system: User, mailoutbox: list[EmailMessage]
) -> None:
    remind_due(by=system, at=NOW)
    Referral.objects.filter(pk=referral.pk).update(stopped_until=NOW + 20 * HOUR, due_at=NOW + 30 * HOUR)
    assert not deliver(notification_id=Notification.objects.get().pk, by=system)
    assert mailoutbox == []


def test_the_inspector_is_told_once_of_reports_that_wait_too_long(
    make_case: Callable[..., Case], world: World, inspector: User, hcop: User, system: User
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, decision_hours=24)
    chief, _ = at_work(inspector), at_work(hcop)
    late = make_case(reported_at=NOW - 24 * HOUR)
    make_case(reported_at=NOW - 23 * HOUR)
    make_case(reported_at=NOW - 90 * HOUR, decided_at=NOW)
    make_case(ward=world.north_ward, reported_at=NOW - 90 * HOUR)
    assert tell_of_late_decisions(by=system, at=NOW) == 1
    assert [row.case for row in LateDecision.objects.all()] == [late]
    assert tell_of_late_decisions(by=system, at=NOW) == 0
    assert told() == [(MailKind.DECISION_LATE, chief)]
    assert tell_of_late_decisions(by=system, at=NOW + HOUR) == 1
    assert told() == [(MailKind.DECISION_LATE, chief)] * 2


def test_without_an_inspector_the_hcops_are_told_and_without_a_policy_nobody(
    make_case: Callable[..., Case],
    world: World,
    hcop: User,
    system: User,
    mailoutbox: list[EmailMessage],
) -> None:
    address = at_work(hcop)
    case = make_case(reported_at=NOW - 48 * HOUR)
    assert tell_of_late_decisions(by=system, at=NOW) == 0
    DeadlinePolicyFactory.create(bcu=world.south_west, decision_hours=24)
    assert tell_of_late_decisions(by=system, at=NOW) == 1
    assert deliver(notification_id=Notification.objects.get().pk, by=system)
    assert [mail.to for mail in mailoutbox] == [[address]]
    assert case.crime_reference not in mailoutbox[0].body
    assert AuditEntry.objects.get(action=Action.MAIL_SENT).recipients == []


def test_nobody_else_tells_of_reports(hcop: User) -> None:
    with pytest.raises(NotAllowed):
        tell_of_late_decisions(by=hcop, at=NOW)


def test_a_call_back_is_reminded_once_shortly_before_to_whoever_has_it(
    make_referral: MakeReferral, officer: User, system: User
) -> None:
    taker, asked_for = at_work(officer), NOW + 3 * HOUR
    taken = make_referral(taken_by=officer, taken_at=NOW, call_back_at=asked_for)
    free = make_referral(call_back_at=asked_for)
    for hours, reminded in ((2.7, 0), (2.8, 2), (4, 0)):
        assert remind_of_call_backs(by=system, at=NOW + hours * HOUR) == reminded
    assert set(told()) == {(MailKind.CALL_BACK, free.team.mailbox), (MailKind.CALL_BACK, taker)}
    Referral.objects.filter(pk=taken.pk).update(call_back_at=NOW + 9 * HOUR)
    Referral.objects.filter(pk=free.pk).update(call_back_at=None)
    assert remind_of_call_backs(by=system, at=NOW + 9 * HOUR) == 1


def test_a_call_back_that_was_tried_since_is_not_reminded(
    make_referral: MakeReferral, system: User, mailoutbox: list[EmailMessage]
) -> None:
    referral = make_referral(call_back_at=NOW)
    remind_of_call_backs(by=system, at=NOW)
    waiting = Notification.objects.get()
    for call_back_at in (None, NOW + HOUR):
        Referral.objects.filter(pk=referral.pk).update(call_back_at=call_back_at)
        Notification.objects.update(abandoned_at=None)
        assert not deliver(notification_id=waiting.pk, by=system, at=NOW)
    Referral.objects.filter(pk=referral.pk).update(call_back_at=NOW)
    Notification.objects.update(abandoned_at=None)
    assert deliver(notification_id=waiting.pk, by=system, at=NOW)
    assert mailoutbox[0].subject == f"Call back now: {referral}, {referral.ward}"


def test_no_call_back_is_reminded_in_quiet_hours(
    make_referral: MakeReferral, world: World, system: User
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, quiet_from=time(7), quiet_until=time(9))
    make_referral(call_back_at=NOW)
    assert remind_of_call_backs(by=system, at=NOW) == 0
    assert remind_of_call_backs(by=system, at=NOW + 2 * HOUR) == 1


def test_those_in_charge_are_told_once_of_what_nobody_acknowledged_in_time(
    make_referral: MakeReferral,
    supervisor: User,
    hcop: User,
    north_hcop: User,
    officer: User,
    system: User,
    mailoutbox: list[EmailMessage],
) -> None:
    sergeant, first_hcop, _, _ = (at_work(user) for user in (supervisor, hcop, north_hcop, officer))
    made = make_referral(made_at=NOW - HOUR)
    threat = FollowUpFactory.create(attempt__referral=made, kind=FollowUpKind.THREAT, raised_at=NOW)
    wish = FollowUpFactory.create(attempt__referral=made, raised_at=NOW)
    FollowUpFactory.create(
        attempt__referral=made, raised_at=NOW, acknowledged_at=NOW, acknowledged_by=supervisor
    )
    expected: list[tuple[str, str]] = []
    both = [(MailKind.FOLLOW_UPS_LATE, address) for address in (sergeant, first_hcop)]
    for hours, late in ((2, []), (2.1, [threat]), (24, []), (24.1, [wish]), (90, [])):
        expected += both if late else []
        assert tell_of_late_follow_ups(by=system, at=NOW + hours * HOUR) == len(late)
        assert sorted(told()) == sorted(expected), f"after {hours} hours"
        assert not FollowUp.objects.filter(pk__in=[each.pk for each in late], escalated_at=None).exists()
    entry = AuditEntry.objects.latest("pk")
    assert entry.references == [made.number]
    assert sorted(entry.recipients) == sorted([supervisor.username, hcop.username])
    for notification in Notification.objects.all():
        assert deliver(notification_id=notification.pk, by=system, at=NOW + 90 * HOUR)
    assert made.number not in f"{mailoutbox[0].subject} {mailoutbox[0].body}"


def test_what_is_the_hcops_alone_is_told_to_no_supervisor(
    world: World, supervisor: User, hcop: User, system: User
) -> None:
    _, first_hcop = at_work(supervisor), at_work(hcop)
    FollowUpFactory.create(
        attempt=None,
        referral=None,
        case=CaseFactory.create(bcu=world.south_west, decided_at=NOW),
        kind=FollowUpKind.WISHES_CHANGED,
        raised_at=NOW,
        raised_by=hcop,
    )
    assert tell_of_late_follow_ups(by=system, at=NOW + 25 * HOUR) == 1
    assert told() == [(MailKind.FOLLOW_UPS_LATE, first_hcop)]


def test_a_threat_does_not_wait_for_the_end_of_quiet_hours(
    make_referral: MakeReferral, world: World, supervisor: User, system: User
) -> None:
    at_work(supervisor)
    DeadlinePolicyFactory.create(bcu=world.south_west, quiet_from=time(0), quiet_until=time(23))
    referral = make_referral(made_at=NOW - HOUR)
    for kind in (FollowUpKind.THREAT, FollowUpKind.STATEMENT):
        FollowUpFactory.create(attempt__referral=referral, kind=kind, raised_at=NOW)
    assert tell_of_late_follow_ups(by=system, at=NOW + 30 * HOUR) == 1
    assert FollowUp.objects.get(escalated_at__isnull=False).kind == FollowUpKind.THREAT


def test_what_nobody_can_be_told_of_is_told_once_somebody_can(
    make_referral: MakeReferral, supervisor: User, system: User
) -> None:
    FollowUpFactory.create(attempt__referral=make_referral(made_at=NOW - HOUR), raised_at=NOW)
    assert tell_of_late_follow_ups(by=system, at=NOW + 25 * HOUR) == 0
    at_work(supervisor)
    assert tell_of_late_follow_ups(by=system, at=NOW + 26 * HOUR) == 1
