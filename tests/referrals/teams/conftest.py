"""The administrator's browser."""

from collections.abc import Callable

import pytest
from django.test import Client

from src_app.accounts.models import User


@pytest.fixture
def browser(client_of: Callable[[User], Client], administrator: User) -> Client:
    """Signed in as the administrator."""
    return client_of(administrator)
