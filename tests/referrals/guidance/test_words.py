"""The banner, guidance and help."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from referrals.guidance.actions import end_banner, set_banner
from referrals.models import Banner
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.accounts.roles import Role
from tests.factories import UserFactory

BANNER, LIST = reverse("banner"), reverse("my_referrals")
SAYS = "Flags are set late today: the crime management system is slow."
ClientOf = Callable[[User], Client]


def test_the_banner_stands_on_every_page_until_it_ends(
    client_of: ClientOf, administrator: User, officer: User
) -> None:
    until = timezone.localtime() + timedelta(hours=2)
    answer = client_of(administrator).post(BANNER, {"text": SAYS, "ends_at": f"{until:%Y-%m-%dT%H:%M}"})
    assert answer["Location"] == BANNER
    assert SAYS in client_of(officer).get(LIST).content.decode()
    assert SAYS not in Client().get(reverse("account_login")).content.decode()
    Banner.objects.update(set_at=timezone.now() - timedelta(hours=3), ends_at=timezone.now())
    assert SAYS not in client_of(officer).get(LIST).content.decode()


def test_the_one_before_never_comes_back(client_of: ClientOf, administrator: User, officer: User) -> None:
    now = timezone.now()
    set_banner(text="The first.", ends_at=now + timedelta(days=2), by=administrator, at=now)
    set_banner(text="The second.", ends_at=now + timedelta(days=1), by=administrator, at=now)
    page = client_of(officer).get(LIST).content.decode()
    assert "The second." in page
    assert "The first." not in page
    client_of(administrator).post(reverse("end_banner"))
    page = client_of(officer).get(LIST).content.decode()
    assert "The first." not in page
    assert "The second." not in page


def test_a_banner_that_would_have_ended_is_refused(client_of: ClientOf, administrator: User) -> None:
    page = client_of(administrator).post(BANNER, {"text": SAYS, "ends_at": "2020-01-01T08:00"})
    assert "give a time that is still to come" in page.content.decode()
    assert SAYS in page.content.decode()
    assert not Banner.objects.exists()


def test_nobody_but_an_administrator_sets_or_ends_one(hcop: User) -> None:
    now = timezone.now()
    with pytest.raises(NotAllowed):
        set_banner(text=SAYS, ends_at=now + timedelta(days=1), by=hcop, at=now)
    with pytest.raises(NotAllowed):
        end_banner(by=hcop, at=now)


@pytest.mark.parametrize("role", [role.value for role in Role if role != Role.SYSTEM])
def test_every_role_has_its_own_help(client_of: ClientOf, role: str, settings: Settings, db: None) -> None:
    browser = client_of(UserFactory.create(role=role))
    page = browser.get(reverse("help_page")).content.decode()
    assert "Tell your system administrator." in page
    settings.FEEDBACK_MAILBOX = "reassurance@example.police.uk"
    assert "mailto:reassurance@example.police.uk" in browser.get(reverse("help_page")).content.decode()
    assert "A message never mentions hate" in browser.get(reverse("guidance")).content.decode()
