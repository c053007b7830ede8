"""Giving referrals to a named officer."""

import uuid
from datetime import timedelta

import pytest

from referrals.contact.actions.attempts import log_attempt
from referrals.contact.actions.taking import give, give_back, take
from referrals.models import MailKind, Method, Notification, Referral, ReferralStatus, Result
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.factories import LeaveFactory, TeamMembershipFactory

pytestmark = pytest.mark.usefixtures("clock")


def test_a_supervisor_gives_many_at_once(make_referral, supervisor, officer, colleague, now):
    untaken = make_referral()
    taken = make_referral(taken_by=colleague, taken_at=now - timedelta(hours=1))
    given = give(referral_ids=[untaken.pk, taken.pk], to=officer, by=supervisor, at=now)
    assert {each.pk for each in given} == {untaken.pk, taken.pk}
    for referral in Referral.objects.all():
        assert (referral.taken_by, referral.taken_at, referral.given_by) == (officer, now, supervisor)
    assert AuditEntry.objects.filter(action=Action.REFERRAL_GIVEN, actor=supervisor).count() == 2


def test_whoever_is_given_one_is_told_by_mail_unless_they_gave_it_themselves(
    make_referral, supervisor, officer, now
):
    User.objects.filter(pk=officer.pk).update(email="pc1001@example.police.uk")
    User.objects.filter(pk=supervisor.pk).update(email="ps51@example.police.uk")
    referral = make_referral()
    for to in (User.objects.get(pk=officer.pk), User.objects.get(pk=supervisor.pk)):
        give(referral_ids=[referral.pk], to=to, by=supervisor, at=now)
    mail = Notification.objects.get()
    assert (mail.kind, mail.recipient) == (MailKind.GIVEN, "pc1001@example.police.uk")
    assert AuditEntry.objects.get(action=Action.MAIL_QUEUED).recipients == [officer.username]


def test_an_officer_gives_what_they_have_and_nothing_else(make_referral, officer, colleague, now):
    mine = make_referral(taken_by=officer, taken_at=now)
    give(referral_ids=[mine.pk], to=colleague, by=officer, at=now)
    mine.refresh_from_db()
    assert (mine.taken_by, mine.given_by) == (colleague, officer)
    for referral in (mine, make_referral()):
        with pytest.raises(Refused, match="is not yours to give"):
            give(referral_ids=[referral.pk], to=officer, by=officer, at=now)


def test_all_are_given_or_none(make_referral, supervisor, officer, now):
    fine = make_referral()
    own_case = make_referral(case__officer_in_case=officer.display_name)
    with pytest.raises(Refused, match=f"PC 1001 is the officer in the case of {own_case.number}"):
        give(referral_ids=[fine.pk, own_case.pk], to=officer, by=supervisor, at=now)
    fine.refresh_from_db()
    assert fine.taken_by is None


def test_nobody_on_leave_and_nobody_of_another_team_is_given_one(
    make_referral, supervisor, officer, other_officer, now
):
    referral = make_referral()
    with pytest.raises(Refused, match="is not in it: choose somebody who is"):
        give(referral_ids=[referral.pk], to=other_officer, by=supervisor, at=now)
    LeaveFactory.create(user=officer)
    with pytest.raises(Refused, match="PC 1001 is on leave, and back on 24 November 2026"):
        give(referral_ids=[referral.pk], to=officer, by=supervisor, at=now)
    with pytest.raises(Refused, match="PC 1001 is on leave"):
        take(referral_id=referral.pk, by=officer, at=now)
    referral.refresh_from_db()
    assert referral.taken_by is None


@pytest.mark.parametrize("end", ["completed", "closed"])
def test_an_ended_referral_is_not_given(make_referral, supervisor, officer, now, end):
    with pytest.raises(Refused, match="nothing more to do"):
        give(referral_ids=[make_referral(**{end: True}).pk], to=officer, by=supervisor, at=now)


def test_another_teams_referral_is_not_there(make_referral, world, supervisor, officer, hcop, now):
    theirs = make_referral(ward=world.wards[-1])
    with pytest.raises(Referral.DoesNotExist):
        give(referral_ids=[theirs.pk], to=officer, by=supervisor, at=now)
    with pytest.raises(NotAllowed):
        give(referral_ids=[theirs.pk], to=officer, by=hcop, at=now)
    with pytest.raises(Refused, match="tick at least one"):
        give(referral_ids=[], to=officer, by=supervisor, at=now)


def test_who_gave_it_is_forgotten_when_it_goes_back(make_referral, supervisor, officer, now):
    referral = make_referral()
    give(referral_ids=[referral.pk], to=officer, by=supervisor, at=now)
    give_back(referral_id=referral.pk, by=officer)
    referral.refresh_from_db()
    assert (referral.taken_by, referral.given_by) == (None, None)


def _log(referral, by, now, **fields):
    given = {"method": Method.TELEPHONE, "result": Result.CONTACT_MADE, "made_at": now, **fields}
    return log_attempt(referral_id=referral.pk, by=by, at=now, **given)


def test_a_colleagues_contact_is_logged_under_both_names(make_referral, officer, colleague, now):
    referral = make_referral()
    attempt = _log(referral, officer, now, key=uuid.uuid4(), made_by=colleague)
    assert (attempt.made_by, attempt.entered_by, attempt.logger) == (colleague, officer, officer)
    referral.refresh_from_db()
    assert (referral.status, referral.taken_by) == (ReferralStatus.COMPLETED, None)
    assert {entry.actor for entry in AuditEntry.objects.all()} == {officer}


def test_ones_own_name_is_no_colleagues(make_referral, officer, now):
    attempt = _log(make_referral(), officer, now, key=uuid.uuid4(), made_by=officer)
    assert (attempt.made_by, attempt.entered_by) == (officer, None)


def test_no_contact_of_a_stranger_or_of_the_officer_in_the_case_is_logged(
    make_referral, officer, colleague, other_officer, now
):
    with pytest.raises(Refused, match="was not in Abbey team on that day"):
        _log(make_referral(), officer, now, key=uuid.uuid4(), made_by=other_officer)
    referral = make_referral(case__officer_in_case=colleague.display_name)
    with pytest.raises(Refused, match="PCSO 7002 is the officer in the case, whose call is no SRC"):
        _log(referral, officer, now, key=uuid.uuid4(), made_by=colleague)


def test_what_a_colleague_did_before_they_left_the_team_is_logged(
    make_referral, world, officer, other_officer, now
):
    TeamMembershipFactory.create(user=other_officer, team=world.teams[0], ends_on=now.date())
    referral = make_referral(made_at=now - timedelta(days=2))
    yesterday = {"key": uuid.uuid4(), "made_by": other_officer, "made_at": now - timedelta(days=1)}
    attempt = _log(referral, officer, now, **yesterday, result=Result.NO_ANSWER)
    assert attempt.made_by == other_officer


def test_whoever_is_on_leave_does_a_favour_and_takes_nothing(make_referral, officer, now):
    LeaveFactory.create(user=officer)
    referral = make_referral()
    _log(referral, officer, now, key=uuid.uuid4(), result=Result.NO_ANSWER)
    referral.refresh_from_db()
    assert referral.taken_by is None
