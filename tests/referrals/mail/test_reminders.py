"""Reminders by the deadlines of each BCU: which step, to whom, when; and of reports that wait."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.mail import EmailMessage
from django.db import connection
from django.test import override_settings

from referrals.mail import reminders
from referrals.mail.claims import waiting
from referrals.mail.messages import message_of
from referrals.mail.outbox import deliver
from referrals.mail.reminders import (
    remind_again,
    remind_due,
    remind_of_call_backs,
    remind_of_notes,
    tell_of_late_decisions,
    tell_of_late_follow_ups,
)
from referrals.models import (
    Case,
    ContactAttempt,
    FollowUp,
    FollowUpKind,
    LateDecision,
    MailKind,
    Notification,
    Referral,
    SettledAttempt,
)
from referrals.rules.deadlines import LONDON
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import (
    NOW,
    CaseFactory,
    ContactAttemptFactory,
    DeadlinePolicyFactory,
    FollowUpFactory,
    LeaveFactory,
    NotificationFactory,
    ReopenedDecisionFactory,
    TeamMembershipFactory,
    UserFactory,
)

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


def test_of_many_each_is_told_though_few_are_locked_together(
    make_referral: MakeReferral, system: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "_AT_ONCE", 2)
    for _ in range(5):
        make_referral(made_at=NOW - 90 * HOUR, due_at=NOW + 10 * HOUR)
    assert remind_due(by=system, at=NOW) == Notification.objects.count() == 5
    queued = AuditEntry.objects.filter(action=Action.MAIL_QUEUED)
    assert [len(entry.references) for entry in queued.order_by("pk")] == [2, 2, 1]


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


def test_a_new_step_reminds_nobody_of_what_had_passed_it_before_it_was_asked_for(
    make_referral: MakeReferral, world: World, supervisor: User, system: User
) -> None:
    sergeant = at_work(supervisor)
    steps = {"bcu": world.south_west, "remind_mailbox": [], "remind_taker": [], "remind_supervisor": [24]}
    DeadlinePolicyFactory.create(**steps)
    make_referral(made_at=NOW - 90 * HOUR, due_at=NOW - 25 * HOUR)
    make_referral(made_at=NOW - 90 * HOUR, due_at=NOW - 23 * HOUR)
    assert remind_due(by=system, at=NOW + HOUR) == 1
    # The same step by a later policy is no new step.
    later = NOW + 24 * HOUR
    DeadlinePolicyFactory.create(**steps, starts_on=later.date(), set_at=NOW)
    assert remind_due(by=system, at=later) == 0
    assert told() == [(MailKind.OVERDUE, sergeant)]


def test_a_policy_keeps_the_reminders_that_the_settings_ask_for(
    make_referral: MakeReferral, world: World, system: User
) -> None:
    make_referral(made_at=NOW - 90 * HOUR, due_at=NOW - HOUR)
    DeadlinePolicyFactory.create(bcu=world.south_west)
    assert remind_due(by=system, at=NOW) == 1


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


def test_what_waits_for_the_team_that_had_it_goes_nowhere(
    referral: Referral, world: World, supervisor: User, hcop: User, system: User
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, remind_supervisor=[0], remind_hcop=[0])
    sergeant, first_hcop, late = at_work(supervisor), at_work(hcop), NOW + 11 * HOUR
    old, new = referral.team, next(team for team in world.teams if team != referral.team)
    remind_due(by=system, at=late)
    assert sorted(told()) == sorted((MailKind.OVERDUE, to) for to in (old.mailbox, sergeant, first_hcop))
    Referral.objects.filter(pk=referral.pk).update(team=new)
    sent = {
        row.recipient
        for row in Notification.objects.all()
        if deliver(notification_id=row.pk, by=system, at=late)
    }
    assert sent == {first_hcop}


def test_whoever_a_referral_is_with_since_is_told_too(
    referral: Referral, world: World, officer: User, colleague: User, system: User
) -> None:
    first, second = at_work(officer), at_work(colleague)
    new = next(team for team in world.teams if team != referral.team)
    Referral.objects.filter(pk=referral.pk).update(taken_by=officer, taken_at=NOW)
    remind_due(by=system, at=NOW + 11 * HOUR)
    Referral.objects.filter(pk=referral.pk).update(taken_by=colleague, team=new)
    for _ in range(2):
        remind_due(by=system, at=NOW + 12 * HOUR)
    assert sorted(to for _, to in told()) == sorted([referral.team.mailbox, first, new.mailbox, second])


def test_a_supervisor_who_is_back_is_told_of_what_a_colleague_was_told(
    referral: Referral, world: World, supervisor: User, system: User
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, remind_mailbox=[], remind_supervisor=[0])
    first = at_work(supervisor)
    remind_due(by=system, at=NOW + 11 * HOUR)
    second = UserFactory.create(role=Role.SUPERVISOR, email="back@example.police.uk")
    TeamMembershipFactory.create(user=second, team=referral.team)
    for _ in range(2):
        remind_due(by=system, at=NOW + 12 * HOUR)
    assert told() == [(MailKind.OVERDUE, first), (MailKind.OVERDUE, second.email)]


def test_a_reminder_that_was_given_up_comes_again(referral: Referral, system: User) -> None:
    for stopped_until in (NOW + HOUR, None):
        remind_due(by=system, at=NOW)
        Referral.objects.filter(pk=referral.pk).update(stopped_until=stopped_until)
        deliver(notification_id=Notification.objects.latest("pk").pk, by=system, at=NOW)
        Referral.objects.filter(pk=referral.pk).update(stopped_until=None)
    remind_due(by=system, at=NOW)
    assert Notification.objects.filter(abandoned_at__isnull=False).count() == 1
    assert Notification.objects.filter(sent_at__isnull=False).count() == 1


def test_what_was_told_before_reminders_had_steps_is_not_told_again(
    make_referral: MakeReferral, officer: User, system: User
) -> None:
    address = at_work(officer)
    soon, late = (
        make_referral(made_at=NOW - 90 * HOUR, due_at=NOW + hours * HOUR, taken_by=officer, taken_at=NOW)
        for hours in (10, -10)
    )
    moved = make_referral(made_at=NOW - 90 * HOUR, due_at=NOW - HOUR)
    for kind, referral, due_at in (
        (MailKind.DUE_SOON, soon, soon.due_at),
        (MailKind.OVERDUE, late, late.due_at),
        (MailKind.OVERDUE, moved, moved.due_at - 24 * HOUR),
    ):
        key = f"{kind}:{referral.number}:{due_at.astimezone(UTC).isoformat()}"
        NotificationFactory.create(kind=kind, referral=referral, unique_key=key)
        if referral.taken_by:
            NotificationFactory.create(
                kind=kind, referral=referral, recipient=address, unique_key=f"{key}:taker"
            )
    import_module("referrals.migrations.0034_reminders_told").keep_what_was_told(
        apps, connection.schema_editor()
    )
    assert remind_due(by=system, at=NOW) == 1
    assert Notification.objects.latest("pk").referral == moved


def test_open_again_each_recipient_is_told_once(referral: Referral, system: User) -> None:
    for _ in range(2):
        NotificationFactory.create(
            kind=MailKind.DUE_SOON, referral=referral, unique_key=str(uuid4()), abandoned_at=NOW
        )
    remind_again(referral, NOW)
    assert waiting(NOW).get() == Notification.objects.latest("pk")


@override_settings(MAIL_ONLY_TO=["elsewhere.example"])
def test_what_was_held_back_does_not_come_again(referral: Referral, system: User) -> None:
    remind_due(by=system, at=NOW)
    assert not deliver(notification_id=Notification.objects.get().pk, by=system, at=NOW)
    assert remind_due(by=system, at=NOW) == 0


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
    # The next that is late is told of the next day: one mail a day.
    assert tell_of_late_decisions(by=system, at=NOW + HOUR) == 0
    assert told() == [(MailKind.DECISION_LATE, chief)]
    assert tell_of_late_decisions(by=system, at=NOW + 24 * HOUR) == 1
    assert told() == [(MailKind.DECISION_LATE, chief)] * 2


def test_a_report_whose_decision_is_reopened_may_wait_too_long_again(
    make_case: Callable[..., Case], world: World, inspector: User, system: User
) -> None:
    DeadlinePolicyFactory.create(bcu=world.south_west, decision_hours=24)
    at_work(inspector)
    case = make_case(reported_at=NOW - 90 * HOUR)
    assert tell_of_late_decisions(by=system, at=NOW) == 1
    ReopenedDecisionFactory.create(decision__case=case, reopened_at=NOW + 30 * HOUR)
    assert tell_of_late_decisions(by=system, at=NOW + 53 * HOUR) == 0
    assert tell_of_late_decisions(by=system, at=NOW + 54 * HOUR) == 1
    assert tell_of_late_decisions(by=system, at=NOW + 55 * HOUR) == 0
    assert Notification.objects.count() == 2


def test_the_mail_says_where_how_many_wait_and_how_long_and_is_given_up_when_none_waits(
    make_case: Callable[..., Case],
    world: World,
    inspector: User,
    system: User,
    mailoutbox: list[EmailMessage],
) -> None:
    at_work(inspector)
    for hours in (23, 24, 50):
        make_case(reported_at=NOW - hours * HOUR)
    assert tell_of_late_decisions(by=system, at=NOW) == 2
    mail = Notification.objects.get()
    said = message_of(mail).body
    assert f"{world.south_west.name}: 2 reports wait for a decision" in said
    assert "the oldest for 50 hours" in said
    assert "Ask the hate crime officer" in said
    Case.objects.filter(reported_at__lte=NOW - 24 * HOUR).update(decided_at=NOW)
    assert not deliver(notification_id=mail.pk, by=system, at=NOW)
    assert mailoutbox == []


def test_without_an_inspector_the_hcops_are_told_and_where_a_policy_says_so_nobody(
    make_case: Callable[..., Case],
    world: World,
    hcop: User,
    system: User,
    mailoutbox: list[EmailMessage],
) -> None:
    address = at_work(hcop)
    case = make_case(reported_at=NOW - 48 * HOUR)
    tomorrow = NOW + 24 * HOUR
    DeadlinePolicyFactory.create(bcu=world.south_west, starts_on=tomorrow.date(), decision_hours=None)
    assert tell_of_late_decisions(by=system, at=tomorrow) == 0
    assert tell_of_late_decisions(by=system, at=NOW) == 1
    assert deliver(notification_id=Notification.objects.get().pk, by=system)
    assert [mail.to for mail in mailoutbox] == [[address]]
    assert case.crime_reference not in mailoutbox[0].body
    assert "Look through the overnight review today" in mailoutbox[0].body
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


def test_a_contact_that_is_not_on_the_crime_record_is_reminded_once_after_a_day(
    make_referral: MakeReferral, officer: User, colleague: User, system: User
) -> None:
    address = at_work(officer)

    def contact(days: float, **more: Any) -> ContactAttempt:
        at = NOW - days * 24 * HOUR
        given = {"referral": make_referral(made_at=NOW - 300 * HOUR), "made_at": at, "logged_at": at, **more}
        return ContactAttemptFactory.create(**{"made_by": officer, "result": "contact_made", **given})

    to_note = contact(1.5)
    contact(0.5)
    contact(8)
    contact(1.5, noted_on_record=True)
    contact(1.5, result="no_answer")
    contact(1.5, made_by=colleague)  # without an address
    SettledAttempt.objects.create(attempt=contact(1.5), settled_at=NOW, settled_by=officer)
    assert remind_of_notes(by=system, at=NOW) == 1
    assert told() == [(MailKind.NOTE_RECORD, address)]
    assert remind_of_notes(by=system, at=NOW + HOUR) == 0
    SettledAttempt.objects.create(attempt=to_note, settled_at=NOW, settled_by=officer)
    assert not deliver(notification_id=Notification.objects.get().pk, by=system)


@pytest.mark.parametrize(
    "change", [{"is_active": False, "closed_because": "left"}, {"email": "new@example.police.uk"}]
)
def test_who_has_left_or_another_address_is_not_reminded_at_the_old_one(
    make_referral: MakeReferral, officer: User, system: User, change: dict[str, Any]
) -> None:
    at_work(officer)
    at = NOW - 36 * HOUR
    given = {"made_by": officer, "result": "contact_made", "made_at": at, "logged_at": at}
    ContactAttemptFactory.create(referral=make_referral(made_at=NOW - 300 * HOUR), **given)
    assert remind_of_notes(by=system, at=NOW) == 1
    User.objects.filter(pk=officer.pk).update(**change)
    assert not deliver(notification_id=Notification.objects.get().pk, by=system)


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
