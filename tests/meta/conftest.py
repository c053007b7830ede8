"""Who walks every page."""

import pytest

from src_app.accounts.models import User


@pytest.fixture
def people(
    hcop: User,
    officer: User,
    supervisor: User,
    leader: User,
    trial_lead: User,
    auditor: User,
    administrator: User,
) -> dict[str, User]:
    """One of each role, all of South West and, where they belong to one, of its first team."""
    everybody = (hcop, officer, supervisor, leader, trial_lead, auditor, administrator)
    return {str(user.role): user for user in everybody}
