"""What a request may leave in the server's memory."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.test import RequestFactory
from django.urls import reverse

from src_app.accounts.models import User

LIMIT = 1024 * 1024


def kept(user: User | AnonymousUser, page: str, *sizes: int) -> int:
    """Bytes of files in memory after the request's body was read."""
    sent = {f"file{number}": SimpleUploadedFile("f", b"x" * size) for number, size in enumerate(sizes)}
    request = RequestFactory().post(reverse(page), sent)
    request.user = user
    files = [request.FILES[name] for name in request.FILES]
    return sum(len(file.read()) for file in files if isinstance(file, UploadedFile))


@pytest.fixture(autouse=True)
def small(settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = LIMIT


@pytest.mark.parametrize("page", ["import_cases", "compare_flags"])
def test_who_may_import_uploads_on_the_pages_for_files(hcop: User, page: str) -> None:
    assert kept(hcop, page, LIMIT) == LIMIT
    assert kept(hcop, page, LIMIT + 1) == 0


def test_many_files_have_no_more_room_than_one(hcop: User) -> None:
    assert kept(hcop, "import_cases", *[LIMIT // 2] * 8) <= LIMIT


def test_who_keeps_accounts_uploads_a_list_of_people_and_nobody_else(administrator: User, hcop: User) -> None:
    assert kept(administrator, "import_people", 1000) == 1000
    assert kept(hcop, "import_people", 1000) == 0
    assert kept(administrator, "import_cases", 1000) == 0


def test_nobody_else_and_no_other_page_keeps_a_byte(hcop: User, officer: User) -> None:
    assert kept(AnonymousUser(), "import_cases", 1000) == 0
    assert kept(AnonymousUser(), "account_login", 1000) == 0
    assert kept(officer, "import_cases", 1000) == 0
    assert kept(hcop, "overnight_review", 1000) == 0
