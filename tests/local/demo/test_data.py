"""``make_demo``: the demo's people and cases, brought about by the real actions."""

import io
from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from local.demo import data
from local.demo.data import InProduction, make_demo
from local.demo.sign_ins import sign_ins
from outcomes.models import RateSnapshot, RecordedOutcome
from outcomes.rates.readers import weekly_nights
from referrals.models import (
    Allocation,
    Case,
    Mode,
    Notification,
    Referral,
    Trial,
    TrialStatus,
    WardMode,
)
from referrals.rules.deadlines import Standing, standing
from referrals.scope import referrals_visible_to, teams_of
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from src_app.audit.models import AuditEntry
from tests.factories import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
POSTCODES = settings.BASE_DIR / "referrals" / "data" / "postcodes_sample.csv"


@pytest.fixture(autouse=True)
def _places() -> None:
    call_command("load_reference_data", stdout=io.StringIO())
    call_command("load_postcodes", str(POSTCODES), stdout=io.StringIO())


def _make(*, history: bool = False) -> dict[str, str]:
    """Makes it; returns the passwords."""
    make_demo(history=history, at=NOW)
    return {person.username: person.password for person in sign_ins(settings.SECRET_KEY)}


def _rows() -> dict[str, int]:
    counted = (User, Case, Referral, Allocation, Trial, WardMode, Notification, RecordedOutcome, RateSnapshot)
    return {model.__name__: model._default_manager.count() for model in counted}


def test_there_is_a_sign_in_for_each_role_that_works_and_is_kept_nowhere_in_clear() -> None:
    passwords = _make()
    people = User.objects.filter(username__in=passwords)
    assert sorted(people.values_list("role", flat=True)) == sorted(set(Role) - {Role.SYSTEM})
    for username, password in passwords.items():
        browser = Client()
        response = browser.post(
            reverse("account_login"), {"login": username, "password": password}, follow=True
        )
        assert response.status_code == 200
        assert response.wsgi_request.user.is_authenticated, username
        assert not User.objects.filter(password__contains=password).exists()
    officer = User.objects.get(username="officer")
    assert {"Tooting Bec ward team", "Tooting Broadway ward team"} <= set(
        teams_of(officer).values_list("name", flat=True)
    )
    supervised = teams_of(User.objects.get(username="supervisor"))
    assert set(supervised.values_list("borough__name", flat=True)) == {"Wandsworth"}


def test_without_history_last_nights_reports_wait_and_nothing_else_is_there() -> None:
    _make()
    assert Case.objects.filter(decided_at__isnull=True).count() == Case.objects.count() == 24
    assert not Referral.objects.exists()


def test_passwords_are_the_same_at_every_start_and_differ_between_installations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = _make()
    assert len(set(first.values())) == 7
    assert _make() == first
    monkeypatch.setattr(settings, "SECRET_KEY", "another")
    assert not set(_make().values()) & set(first.values())


def test_two_trials_recruit_in_three_boroughs_and_five_wards_have_not_started() -> None:
    _make()
    begun = WardMode.objects.filter(starts_on__gt="2026-01-01")
    modes = Counter(begun.values_list("ward__borough__name", "mode"))
    assert modes == {
        ("Merton", Mode.TRIAL): 20,
        ("Wandsworth", Mode.TRIAL): 22,
        ("Richmond upon Thames", Mode.TRIAL): 18,
        ("Kingston upon Thames", Mode.NOT_STARTED): 5,
    }
    for trial in Trial.objects.all():
        assert (str(trial.opened_by), str(trial.sealed_by)) == ("Trial lead", "Chief Superintendent")


def test_the_past_comes_about_by_the_actions_and_a_second_run_adds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(data, "WEEKS", 5)
    _make(history=True)
    rows = _rows()
    _make(history=True)
    assert _rows() == rows
    past = Case.objects.filter(decided_at__isnull=False)
    assert 80 <= past.count() <= 180
    assert set(past.values_list("decision__submission__submitted_by__username", flat=True)) == {"hcop"}
    assert set(Allocation.objects.values_list("arm", flat=True)) == {"src", "control"}
    assert not Referral.objects.filter(allocation__arm="control").exists()
    small = Trial.objects.get(name__contains="Richmond")
    assert (small.status, small.closed_because) == (TrialStatus.CLOSED, "The target of 16 was reached.")
    assert small.allocations.filter(position__isnull=False).count() == 16
    assert Trial.objects.get(name__contains="Merton").status == TrialStatus.RECRUITING
    stand = Counter(
        standing(
            due_at=referral.due_at,
            contacted_at=referral.contacted_at,
            closed_at=referral.closed_at,
            at=NOW,
        )
        for referral in Referral.objects.all()
    )
    assert set(stand) == set(Standing) - {Standing.STOPPED}
    assert 0.5 <= stand[Standing.IN_TIME] / (stand.total() - stand[Standing.NOT_YET_DUE]) <= 0.85
    assert RecordedOutcome.objects.exists()
    assert not RecordedOutcome.objects.filter(recorded_at__gt=NOW - timedelta(days=1)).exists()
    assert not Case.objects.filter(reported_at__gt=NOW).exists()
    leader = User.objects.get(username="leader")
    closed = [night.outcomes.closed for night in weekly_nights(leader, at=NOW)]
    assert len(closed) == 6
    assert closed == sorted(closed)
    assert closed[0] < closed[-1]
    assert set(AuditEntry.objects.values_list("origin", flat=True)) == {
        "command load_reference_data",
        "command load_postcodes",
        "make_demo",
    }
    # The catcher's mailbox stays empty: nobody was told anything about made-up weeks.
    assert not Notification.objects.filter(sent_at__isnull=True).exists()
    hcop = User.objects.get(username="hcop")
    assert referrals_visible_to(hcop).count() == Referral.objects.count()


def test_it_is_refused_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PRODUCTION", True)
    with pytest.raises(InProduction):
        _make()
    assert not User.objects.filter(username="hcop").exists()
