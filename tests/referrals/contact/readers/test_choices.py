"""What the page of a referral offers: every status, holder and set of permissions."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from referrals.contact.readers.choices import ReferralChoices, choices_for
from referrals.models import Case, CloseReason, Referral, ReferralStatus
from src_app.accounts.models import User
from src_app.accounts.roles import PERMISSIONS, Permission
from tests.factories import NOW

CHOICES = "referrals.contact.readers.choices"
ROLE = "reader of a referral"
READER = User(pk=1, role=ROLE, display_name="PC 1")
COLLEAGUE = User(pk=2, role=ROLE, display_name="PC 2")
HOLDERS = {"nobody": None, "reader": READER, "colleague": COLLEAGUE}
GRANTED = {
    "reads": frozenset[Permission](),
    "contacts": frozenset({Permission.CONTACT_VICTIMS}),
    "chases": frozenset({Permission.CHASE_REFERRALS}),
    "contacts, chases": frozenset({Permission.CONTACT_VICTIMS, Permission.CHASE_REFERRALS}),
}
# What is offered of an open referral; LOG is the main button, log is not.
OFFERED_OPEN = {
    ("reads", "nobody"): "",
    ("reads", "reader"): "",
    ("reads", "colleague"): "",
    ("contacts", "nobody"): "LOG take close stop",
    ("contacts", "reader"): "LOG give_back close stop",
    ("contacts", "colleague"): "log close stop",
    ("chases", "nobody"): "remind",
    ("chases", "reader"): "remind",
    ("chases", "colleague"): "remind",
    ("contacts, chases", "nobody"): "LOG take close stop remind",
    ("contacts, chases", "reader"): "LOG give_back close stop remind",
    ("contacts, chases", "colleague"): "log give_back close stop remind",
}
# To somebody who is the officer in the case: it may be handed back, and nothing of contact is left.
OFFERED_OFFICER_IN_CASE = {
    key: " ".join(word for word in offered.split() if word in {"give_back", "remind"})
    for key, offered in OFFERED_OPEN.items()
}


@pytest.fixture(autouse=True)
def _an_attempt_has_shown_a_reason_and_the_reader_leads_the_team(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{CHOICES}.reasons_to_close", lambda *_: [CloseReason.DECLINED])
    monkeypatch.setattr(f"{CHOICES}.leads", lambda *_: True)
    monkeypatch.setattr(f"{CHOICES}.can_open_again", lambda *_: True)


def referral_of(
    status: ReferralStatus, holder: str = "nobody", *, officer_in_case: str = "", **more: Any
) -> Referral:
    case = Case(crime_reference="01/1/26", officer_in_case=officer_in_case)
    taken_by = HOLDERS[holder]
    more.setdefault("due_at", timezone.now() + timedelta(days=1))
    return Referral(status=status, case=case, taken_by=taken_by, taken_at=NOW if taken_by else None, **more)


def offered(choices: ReferralChoices) -> str:
    """The choices that are offered, as the tables above write them."""
    log = "LOG" if choices.log_is_main else "log"
    named = ("log", "take", "give_back", "close", "stop", "go_on", "remind")
    return " ".join(log if name == "log" else name for name in named if getattr(choices, name))


@pytest.mark.parametrize(("granted", "holder"), OFFERED_OPEN)
def test_an_open_referral_offers_each_reader_what_they_may_do(
    granted: str, holder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PERMISSIONS, ROLE, GRANTED[granted])
    choices = choices_for(referral_of(ReferralStatus.OPEN, holder), READER)
    assert offered(choices) == OFFERED_OPEN[granted, holder]
    assert choices.is_any_for_contact == ("contacts" in granted)
    assert (choices.officer_notice, choices.closure) == ("", "")


@pytest.mark.parametrize(("granted", "holder"), OFFERED_OFFICER_IN_CASE)
def test_the_officer_in_the_case_may_hand_it_back_and_do_nothing_else(
    granted: str, holder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PERMISSIONS, ROLE, GRANTED[granted])
    choices = choices_for(referral_of(ReferralStatus.OPEN, holder, officer_in_case="pc 1"), READER)
    assert offered(choices) == OFFERED_OFFICER_IN_CASE[granted, holder]
    if "contacts" in granted:
        assert choices.officer_notice.startswith("You are the officer in the case")
        assert ("Return it" in choices.officer_notice) == choices.give_back
    else:
        assert ("must take it over" in choices.officer_notice) == (holder == "reader")


@pytest.mark.parametrize("granted", GRANTED)
@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("status", [ReferralStatus.CLOSED, ReferralStatus.COMPLETED])
def test_of_an_ended_referral_only_a_contact_after_all_can_be_logged(
    status: ReferralStatus, holder: str, granted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PERMISSIONS, ROLE, GRANTED[granted])
    ended: dict[str, Any] = {"close_reason": CloseReason.DECLINED} if status == ReferralStatus.CLOSED else {}
    referral = referral_of(status, holder, closed_at=NOW, closed_by=COLLEAGUE, **ended)
    choices = choices_for(referral, READER)
    logs = status == ReferralStatus.CLOSED and "contacts" in granted
    assert offered(choices) == ("log" if logs else "")
    assert choices.closure.startswith("Closed without contact: ") == (status == ReferralStatus.CLOSED)
    assert ("If contact was made after all" in choices.closure) == logs


def test_nobody_is_warned_of_an_officer_in_the_case_who_has_let_it_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(PERMISSIONS, ROLE, GRANTED["contacts"])
    of_colleague = referral_of(ReferralStatus.OPEN, "colleague", officer_in_case="PC 2")
    assert "PC 2 has it" in choices_for(of_colleague, READER).officer_notice
    of_nobody = referral_of(ReferralStatus.OPEN, "nobody", officer_in_case="PC 2")
    assert choices_for(of_nobody, READER).officer_notice == ""


def test_what_the_record_ruled_out_is_not_to_be_contacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PERMISSIONS, ROLE, GRANTED["contacts"])
    closed: dict[str, Any] = {"closed_at": NOW, "closed_by": COLLEAGUE, "close_reason": CloseReason.DECLINED}
    referral = referral_of(ReferralStatus.CLOSED, ruled_out_since=NOW, **closed)
    assert "Make no contact for it now." in choices_for(referral, READER).closure


def test_closing_waits_for_an_attempt_that_shows_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PERMISSIONS, ROLE, GRANTED["contacts"])
    monkeypatch.setattr(f"{CHOICES}.reasons_to_close", lambda *_: [])
    assert not choices_for(referral_of(ReferralStatus.OPEN), READER).close


def test_the_clock_is_stopped_before_the_due_time_and_let_go_on_while_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(PERMISSIONS, ROLE, GRANTED["contacts, chases"])
    now = timezone.now()
    overdue = referral_of(ReferralStatus.OPEN, due_at=now - timedelta(hours=1))
    assert offered(choices_for(overdue, READER)) == "LOG take close remind"
    stopped = referral_of(ReferralStatus.OPEN, stopped_until=now + timedelta(hours=1))
    assert offered(choices_for(stopped, READER)) == "LOG take close go_on"
    ended = referral_of(ReferralStatus.OPEN, stopped_until=now)
    assert offered(choices_for(ended, READER)) == "LOG take close stop remind"
