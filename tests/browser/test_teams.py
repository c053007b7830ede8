"""The administrator's teams: one is added, its mailbox checked, and it becomes part of another."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Look, SignIn, System

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("system")]


def _add(page: Page, system: System, name: str) -> None:
    page.goto(f"{system.address}/places/teams/add/")
    page.get_by_label("Name of the team").fill(name)
    page.get_by_label("Borough").select_option(value=_value(page, "Merton"))
    page.get_by_label("Mailbox").fill(f"{name.lower().replace(' ', '-')}@example.police.uk")
    page.get_by_role("button", name="Add this team").click()
    expect(page.get_by_text(f"{name} is added, and a test mail is on its way")).to_be_visible()


def test_two_teams_become_one(system: System, sign_in: SignIn, look: Look) -> None:
    page = sign_in("admin")
    _add(page, system, "Market night team")
    _add(page, system, "Market day team")
    look(page, "teams-team")
    page.get_by_role("link", name="Merge into another team").click()
    look(page, "teams-merge")
    offered = page.get_by_label("Into which team?")
    offered.select_option(value=_value(page, "Market night team"))
    page.get_by_role("button", name="Check what follows").click()
    expect(page.get_by_text("Today, as soon as you press the button:")).to_be_visible()
    look(page, "teams-merge-check")
    page.get_by_role("button", name="Merge the teams").click()
    expect(page.get_by_text("Both teams are told by e-mail.")).to_be_visible()
    expect(page.get_by_role("heading", name="Market night team")).to_be_visible()
    page.goto(f"{system.address}/places/teams/")
    look(page, "teams-list")


def test_a_team_is_added_and_closed_without_scripts(system: System, sign_in: SignIn) -> None:
    page = sign_in("admin", javascript=False)
    _add(page, system, "Market spare team")
    page.get_by_role("link", name="Close the team").click()
    page.get_by_role("button", name="Close the team").click()
    expect(page.get_by_text("This team was closed on")).to_be_visible()


def _value(page: Page, team: str) -> str:
    option = page.locator("option", has_text=team).first
    return option.get_attribute("value") or ""
