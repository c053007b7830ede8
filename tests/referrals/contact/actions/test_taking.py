"""Taking a referral and handing it back."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from referrals.contact.actions import taking
from referrals.contact.actions.referral_lock import refuse_officer_in_case
from referrals.contact.actions.taking import TakenAlready, give_back, take
from referrals.models import Case, Referral
from src_app.accounts.guards import NotAllowed
from src_app.audit.models import Action, AuditEntry
from src_app.audit.record import acting
from src_app.refused import Refused
from tests.patience import patience


def test_an_officer_takes_a_referral_of_the_own_team(make_referral, officer, now):
    referral = make_referral()
    take(referral_id=referral.pk, by=officer, at=now)
    referral.refresh_from_db()
    assert (referral.taken_by, referral.taken_at) == (officer, now)
    entry = AuditEntry.objects.get(action=Action.REFERRAL_TAKEN)
    assert entry.references == [referral.number, referral.case.crime_reference]
    assert entry.fields == ["taken_at", "taken_by"]


def test_taking_twice_changes_nothing(make_referral, officer, now):
    referral = make_referral(taken_by=officer, taken_at=now.replace(hour=7, minute=0))
    assert take(referral_id=referral.pk, by=officer, at=now) == referral
    referral.refresh_from_db()
    assert referral.taken_at == now.replace(hour=7, minute=0)
    assert not AuditEntry.objects.exists()


def test_a_second_officer_cannot_take_a_taken_referral_and_is_told_who_has_it(
    make_referral, officer, colleague, now
):
    referral = make_referral(taken_by=colleague, taken_at=now)
    with pytest.raises(TakenAlready, match=r"PCSO 7002 took .* on 23 November 2026, 7:30am"):
        take(referral_id=referral.pk, by=officer, at=now)
    referral.refresh_from_db()
    assert referral.taken_by == colleague


@pytest.mark.parametrize("end", ["completed", "closed"])
def test_an_ended_referral_cannot_be_taken(make_referral, officer, now, end):
    referral = make_referral(**{end: True})
    with pytest.raises(Refused, match="nothing more to do"):
        take(referral_id=referral.pk, by=officer, at=now)


def test_another_teams_referral_is_not_there(make_referral, other_officer, now):
    with pytest.raises(Referral.DoesNotExist):
        take(referral_id=make_referral().pk, by=other_officer, at=now)


def test_the_hcop_takes_no_referral(make_referral, hcop, now):
    with pytest.raises(NotAllowed):
        take(referral_id=make_referral().pk, by=hcop, at=now)


@pytest.mark.parametrize("name", ["PC 1001", "pc1001", " Pc  1001"])
def test_the_officer_in_the_case_cannot_take_it(make_referral, officer, now, name):
    referral = make_referral(case__officer_in_case=name)
    with pytest.raises(Refused, match="You are the officer in the case"):
        take(referral_id=referral.pk, by=officer, at=now)
    referral.refresh_from_db()
    assert referral.taken_by is None


@pytest.mark.django_db(transaction=True)
def test_of_two_officers_who_tap_at_once_one_wins_and_the_other_is_told(
    make_referral, officer, colleague, now
):
    referrals = [make_referral() for _ in range(10)]
    both = Barrier(2, timeout=patience(60))

    def tap(user):
        outcomes = []
        with acting("test", by=user):
            for referral in referrals:
                both.wait()
                try:
                    take(referral_id=referral.pk, by=user, at=now)
                except TakenAlready as refused:
                    outcomes.append(str(refused))
                else:
                    outcomes.append("")
        connection.close()
        return outcomes

    with ThreadPoolExecutor(2) as threads:
        mine, theirs = threads.map(tap, [officer, colleague])
    for referral, my_words, their_words in zip(referrals, mine, theirs, strict=True):
        referral.refresh_from_db()
        assert bool(my_words) != bool(their_words)
        assert referral.taken_by == (colleague if my_words else officer)
        assert str(referral.taken_by) in (my_words or their_words)
    assert AuditEntry.objects.filter(action=Action.REFERRAL_TAKEN).count() == len(referrals)


def test_whoever_has_it_hands_it_back(make_referral, officer, now):
    referral = make_referral(taken_by=officer, taken_at=now)
    give_back(referral_id=referral.pk, by=officer)
    referral.refresh_from_db()
    assert referral.taken_by is None
    assert referral.taken_at is None
    assert AuditEntry.objects.get().action == Action.REFERRAL_RETURNED


def test_a_supervisor_hands_back_what_an_officer_has(make_referral, officer, supervisor, now):
    referral = make_referral(taken_by=officer, taken_at=now)
    give_back(referral_id=referral.pk, by=supervisor)
    referral.refresh_from_db()
    assert referral.taken_by is None


def test_a_colleague_cannot_hand_it_back(make_referral, officer, colleague, now):
    referral = make_referral(taken_by=officer, taken_at=now)
    with pytest.raises(Refused, match="PC 1001 has"):
        give_back(referral_id=referral.pk, by=colleague)


def test_handing_back_what_nobody_has_changes_nothing(make_referral, officer):
    give_back(referral_id=make_referral().pk, by=officer)
    assert not AuditEntry.objects.exists()


def test_an_ended_referral_is_not_handed_back(make_referral, officer, now):
    referral = make_referral(completed=True, taken_by=officer, taken_at=now)
    with pytest.raises(Refused, match="nothing more to do"):
        give_back(referral_id=referral.pk, by=officer)


def test_another_teams_referral_is_not_handed_back(make_referral, other_officer):
    with pytest.raises(Referral.DoesNotExist):
        give_back(referral_id=make_referral().pk, by=other_officer)


def test_an_officer_whom_an_extract_puts_in_the_case_this_moment_does_not_get_it(
    make_referral, officer, now, monkeypatch
):
    referral = make_referral()
    asked: list[Referral] = []

    def imported_meanwhile(found, by):
        refuse_officer_in_case(found, by)
        if not asked:
            Case.objects.filter(pk=found.case_id).update(officer_in_case=by.display_name)
        asked.append(found)

    monkeypatch.setattr(taking, "refuse_officer_in_case", imported_meanwhile)
    with pytest.raises(Refused, match="You are the officer in the case"):
        take(referral_id=referral.pk, by=officer, at=now)
    referral.refresh_from_db()
    assert referral.taken_by is None
