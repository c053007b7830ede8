"""The access review: the administrator starts it, supervisors answer, and it ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from referrals.mail.outbox import deliver
from referrals.models import AccessAnswer, AccessReview, Notification
from referrals.people.actions.access_review import confirm_access
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.factories import AccessAnswerFactory, AccessReviewFactory, TeamMembershipFactory, UserFactory

REVIEW, START, END, CONFIRM = (
    reverse(name) for name in ("access_review", "start_access_review", "end_access_review", "confirm_access")
)
COMPLIANCE = reverse("compliance")


@pytest.fixture
def sergeant(client_of: Callable[[User], Client], supervisor: User) -> Client:
    """The browser of the first team's supervisor."""
    User.objects.filter(pk=supervisor.pk).update(email="ps51@example.police.uk")
    return client_of(supervisor)


def words(browser: Client, address: str) -> str:
    return " ".join(browser.get(address).content.decode().split())


def cells(browser: Client, asked: str = "") -> dict[str, tuple[str, str]]:
    """By name: last sign-in, and what the supervisor says."""
    listed = browser.get(f"{REVIEW}?{asked}").context["list"].table.rows
    return {
        row.record.user.display_name: (str(row.get_cell("last_login")), str(row.get_cell("answer")))
        for row in listed
    }


def test_each_supervisor_is_asked_once_and_one_review_is_open(
    browser: Client,
    sergeant: Client,
    world: World,
    supervisor: User,
    system: User,
    mailoutbox: list[EmailMessage],
) -> None:
    TeamMembershipFactory.create(user=supervisor, team=world.teams[1])
    UserFactory.create(role="supervisor", email="nowhere@example.police.uk")
    assert "No review is open." in words(browser, REVIEW)
    browser.post(START)
    assert "A review is open already" in browser.post(START, follow=True).content.decode()
    assert AccessReview.objects.count() == 1
    mail = Notification.objects.get()
    assert deliver(notification_id=mail.pk, by=system)
    (message,) = mailoutbox
    assert message.to == ["ps51@example.police.uk"]
    assert message.subject == "Who of your team still needs an account?"
    assert CONFIRM in message.body
    started = AuditEntry.objects.get(action=Action.ACCESS_REVIEW_STARTED)
    assert started.references[1:] == ["supervisor"]
    assert AuditEntry.objects.get(action=Action.MAIL_SENT).subject == "account"
    assert "ps51@" not in str(list(AuditEntry.objects.values_list()))


def test_what_a_review_does_is_said_before_it_starts(
    browser: Client, sergeant: Client, world: World, officer: User, other_officer: User
) -> None:
    nowhere = UserFactory.create(role="supervisor", display_name="PS 52", email=None)
    TeamMembershipFactory.create(user=nowhere, team=world.teams[0])
    assert f'href="{START}"' in words(browser, REVIEW)
    page = words(browser, START)
    assert "2 supervisors are asked" in page
    assert "1 e-mail goes out" in page
    assert "1 has no address and will see it on the first page alone: PS 52." in page
    about = len(cells(browser)) - len({"PS 51", "PS 52", "PC 1001"})
    assert f"No supervisor is asked about {about} open accounts" in page
    assert not AccessReview.objects.exists()
    assert not Notification.objects.exists()
    entry = AuditEntry.objects.filter(action=Action.LIST_SHOWN).first()
    assert entry is not None
    browser.post(START)
    assert "A review is open already" in words(browser, START)
    said = cells(browser)
    assert "Asked: PS 51, PS 52" in said["PC 1001"][1]
    assert "Asked: PS 52" in said["PS 51"][1]


def test_nobody_is_asked_of_a_review_that_has_ended(browser: Client, sergeant: Client, system: User) -> None:
    browser.post(START)
    browser.post(END)
    assert not deliver(notification_id=Notification.objects.get().pk, by=system)
    assert sergeant.get(CONFIRM)["Location"] == COMPLIANCE
    assert "No review is open." in browser.post(END, follow=True).content.decode()


def test_a_supervisor_answers_for_the_own_team_and_the_first_page_says_so_until_then(
    browser: Client, sergeant: Client, officer: User, colleague: User, other_officer: User
) -> None:
    assert "Say who still needs an account" not in words(sergeant, COMPLIANCE)
    browser.post(START)
    assert "about 2 people of your teams" in words(sergeant, COMPLIANCE)
    assert [person.pk for person in sergeant.get(CONFIRM).context["people"]] == [officer.pk, colleague.pk]
    said = {f"person-{officer.pk}": "keep", f"person-{other_officer.pk}": "close"}
    sergeant.post(CONFIRM, said)
    assert "about 1 person of your teams" in words(sergeant, COMPLIANCE)
    sergeant.post(CONFIRM, {**said, f"person-{colleague.pk}": "close"})
    assert "Say who still needs an account" not in words(sergeant, COMPLIANCE)
    assert AccessAnswer.objects.count() == 2
    assert cells(browser)["PCSO 7002"][1].startswith("Should be closed")
    assert "PS 51" in cells(browser)["PCSO 7002"][1]
    assert cells(browser)["PC 1002"][1] == "No supervisor is asked"
    entries = AuditEntry.objects.filter(action=Action.ACCESS_CONFIRMED).order_by("pk")
    assert [entry.references for entry in entries] == [["officer"], ["colleague"]]


def test_nobody_answers_for_another_team(supervisor: User, officer: User, other_officer: User) -> None:
    AccessReviewFactory.create()
    said = {user.pk: AccessAnswer.Said.CLOSE for user in (officer, other_officer, supervisor)}
    assert confirm_access(said=said, by=supervisor, at=timezone.now()) == 1
    assert AccessAnswer.objects.get().person == officer


def test_the_last_answer_counts_and_the_history_is_kept(
    browser: Client, sergeant: Client, officer: User
) -> None:
    browser.post(START)
    for said in ("close", "keep", "keep"):
        sergeant.post(CONFIRM, {f"person-{officer.pk}": said})
    assert cells(browser)["PC 1001"][1].startswith("Still needed")
    browser.post(END)
    page = words(browser, REVIEW)
    assert "1 person still needed, 0 people to be closed." in page
    assert cells(browser)["PC 1001"][1] == "No review is open"
    browser.post(START)
    assert "Asked: PS 51" in cells(browser)["PC 1001"][1]
    assert AccessReview.objects.count() == 2


def test_who_should_be_closed_is_closed_by_one_button(
    browser: Client, sergeant: Client, officer: User
) -> None:
    browser.post(START)
    sergeant.post(CONFIRM, {f"person-{officer.pk}": "close"})
    page = browser.get(f"{REVIEW}?state=to_close").content.decode()
    address = reverse("close_account", args=[officer.pk])
    assert f'action="{address}"' in page
    assert browser.post(address, {"because": "review"})["Location"] == REVIEW
    officer.refresh_from_db()
    assert (officer.is_active, officer.closed_because) == (False, "review")
    assert "PC 1001" not in cells(browser)


def test_who_has_not_signed_in_for_sixty_days_is_marked_and_found(browser: Client, settings: Any) -> None:
    now = timezone.now()
    for days in (59, 61):
        UserFactory.create(display_name=f"Signed in {days}", last_login=now - timedelta(days=days))
        UserFactory.create(display_name=f"Never, {days}", created_at=now - timedelta(days=days))
    found = cells(browser)
    for name in ("Signed in 61", "Never, 61"):
        assert "Not for 60 days" in found[name][0]
    for name in ("Signed in 59", "Never, 59"):
        assert "Not for 60 days" not in found[name][0]
    assert list(cells(browser, "state=unused")) == ["Never, 61", "Signed in 61"]


def test_those_without_an_answer_are_found(browser: Client, officer: User, colleague: User) -> None:
    AccessAnswerFactory.create(person=officer, review=AccessReviewFactory.create(), answered_by=colleague)
    assert list(cells(browser, "state=unanswered&role=officer")) == ["PCSO 7002"]


def test_as_many_queries_for_thirty_people_as_for_three(
    browser: Client, sergeant: Client, world: World
) -> None:
    review, counts = AccessReviewFactory.create(), []
    for more in (3, 27):
        for member in TeamMembershipFactory.create_batch(more, team=world.teams[0]):
            AccessAnswerFactory.create(review=review, person=member.user)
        with CaptureQueriesContext(connection) as queries:
            browser.get(REVIEW)
            sergeant.get(CONFIRM)
        counts.append(len(queries))
    assert counts[0] == counts[1]
