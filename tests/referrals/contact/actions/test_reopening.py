"""Opening a referral again that its team had ended."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from referrals.contact.actions.attempts import log_attempt, withdraw_attempt
from referrals.contact.actions.closing import close_without_contact
from referrals.contact.actions.reopening import reopen
from referrals.models import (
    CLOSED_BY_RECORD,
    Case,
    CloseReason,
    FollowUp,
    FollowUpKind,
    MailKind,
    Method,
    Noticed,
    Notification,
    Referral,
    ReferralNotice,
    ReferralStatus,
    Reopening,
    ReopeningReason,
    Restriction,
    Result,
)
from referrals.review.actions.drafts import set_safety
from src_app.accounts.guards import NotAllowed
from src_app.audit.models import Action, AuditEntry
from src_app.refused import Refused
from tests.factories import ClockStopFactory

pytestmark = pytest.mark.usefixtures("clock")
MISTAKE, ASKED = ReopeningReason
HOUR = timedelta(hours=1)


@pytest.fixture
def log(officer, now):
    def log(referral, result):
        about = {"key": uuid.uuid4(), "made_at": now, "by": officer, "at": now}
        return log_attempt(referral_id=referral.pk, method=Method.TELEPHONE, result=result, **about)

    return log


@pytest.fixture
def declined(make_referral, log, officer, now):
    referral = make_referral()
    log(referral, Result.DECLINED)
    return close_without_contact(referral_id=referral.pk, reason=CloseReason.DECLINED, by=officer, at=now)


def test_after_a_mistake_the_due_time_stays_and_the_team_is_told(declined, supervisor, officer, now):
    due_at = declined.due_at
    for _ in range(2):
        opened = reopen(referral_id=declined.pk, reason=MISTAKE, by=supervisor, at=now + HOUR)
    opened.refresh_from_db()
    assert (opened.status, opened.close_reason, opened.closed_at) == (ReferralStatus.OPEN, "", None)
    assert (opened.due_at, opened.taken_by) == (due_at, officer)
    kept = Reopening.objects.get()
    assert (kept.reason, kept.reopened_by) == (MISTAKE, supervisor)
    assert (kept.earlier_reason, kept.earlier_closed_at) == (CloseReason.DECLINED, now)
    assert Notification.objects.get(kind=MailKind.REOPENED).recipient == opened.team.mailbox
    assert AuditEntry.objects.filter(action=Action.REFERRAL_REOPENED).count() == 1


@pytest.mark.parametrize("ends", [-1, 20])
def test_how_long_the_clock_stood_before_stays_known_and_it_runs_from_now(declined, supervisor, now, ends):
    at, ends_at = now + 2 * HOUR, now + (2 + ends) * HOUR
    stop = ClockStopFactory.create(referral=declined, starts_at=now - 5 * HOUR, ends_at=ends_at)
    Referral.objects.filter(pk=declined.pk).update(stopped_until=ends_at)
    opened = reopen(referral_id=declined.pk, reason=ASKED, by=supervisor, at=at)
    opened.refresh_from_db()
    stop.refresh_from_db()
    assert opened.stopped_until == stop.ends_at == min(ends_at, at)
    assert not opened.is_stopped(at)


def test_a_victim_who_asks_is_due_anew_and_what_they_said_before_closes_nothing(
    declined, supervisor, officer, now, settings
):
    at = now + 100 * HOUR
    opened = reopen(referral_id=declined.pk, reason=ASKED, by=supervisor, at=at)
    opened.refresh_from_db()
    assert opened.due_at == at + settings.REFER_NOW_DUE_AFTER
    assert opened.taken_by is None
    with pytest.raises(Refused, match="Log the attempt"):
        close_without_contact(referral_id=opened.pk, reason=CloseReason.DECLINED, by=officer, at=at)


def test_a_contact_that_was_logged_by_mistake_is_withdrawn_with_it(make_referral, log, supervisor, now):
    referral = make_referral()
    made = log(referral, Result.CONTACT_MADE)
    with pytest.raises(Refused, match="Contact was made, and counts"):
        reopen(referral_id=referral.pk, reason=ASKED, by=supervisor, at=now)
    opened = reopen(referral_id=referral.pk, reason=MISTAKE, by=supervisor, at=now)
    opened.refresh_from_db()
    assert (opened.status, opened.contacted_at) == (ReferralStatus.OPEN, None)
    made.refresh_from_db()
    assert made.withdrawn_by.made_by == supervisor


@pytest.mark.parametrize("way", ["reopened", "withdrawn"])
def test_whoever_has_it_again_is_told_what_changed_meanwhile(
    make_referral, log, supervisor, officer, hcop, now, way
):
    referral = make_referral()
    made = log(referral, Result.CONTACT_MADE)

    set_safety(
        case_id=referral.case_id,
        restrictions=[Restriction.NO_VOICEMAIL],
        note="Moved back in",
        seen=None,
        by=hcop,
        at=now + HOUR,
    )
    Case.objects.filter(pk=referral.case_id).update(officer_in_case=officer.display_name)
    if way == "withdrawn":
        withdraw_attempt(attempt_id=made.pk, key=uuid.uuid4(), by=officer, at=now + 2 * HOUR)
    else:
        reopen(referral_id=referral.pk, reason=MISTAKE, by=supervisor, at=now + 2 * HOUR)
    referral.refresh_from_db()
    assert (referral.status, referral.taken_by) == (ReferralStatus.OPEN, officer)
    notice = ReferralNotice.objects.get()
    assert notice.changed == [Noticed.RESTRICTIONS, Noticed.REVIEW_SAFETY]
    mail = Notification.objects.get()
    kind = MailKind.REOPENED if way == "reopened" else MailKind.REFERRAL_CHANGED
    assert (mail.kind, mail.recipient) == (kind, referral.team.mailbox)
    # Whoever has it became the officer in the case meanwhile.
    assert FollowUp.objects.filter(kind=FollowUpKind.OFFICER_IN_CASE).count() == 1


@pytest.mark.parametrize("reason", [*CLOSED_BY_RECORD, CloseReason.NOT_SUITABLE])
def test_what_the_record_or_the_hcop_closed_is_theirs_to_open(make_referral, supervisor, now, reason):
    referral = make_referral(closed=True, close_reason=reason)
    with pytest.raises(Refused, match="ask the hate crime officer"):
        reopen(referral_id=referral.pk, reason=MISTAKE, by=supervisor, at=now)


@pytest.mark.parametrize("who", ["officer", "hcop"])
def test_it_is_for_the_supervisor(request, declined, now, who):
    with pytest.raises(NotAllowed):
        reopen(referral_id=declined.pk, reason=MISTAKE, by=request.getfixturevalue(who), at=now)


def test_the_page_of_the_referral_leads_to_it(client_of, supervisor, officer, hcop, declined):
    page, address = (reverse(name, args=[declined.number]) for name in ("referral", "reopen_referral"))
    assert address not in client_of(officer).get(page).text
    browser = client_of(supervisor)
    assert address in browser.get(page).text
    assert "Choose why it is open again." in browser.post(address).text
    assert "is open again" in browser.post(address, {"reason": "mistake"}, follow=True).text
    assert browser.get(address).url == page
    told = client_of(hcop).get(reverse("case", args=[declined.case_id])).text
    assert "Opened again" in told
    assert "It was ended by mistake." in told
