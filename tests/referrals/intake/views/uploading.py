"""Files uploaded on the Import page, and the pages that follow."""

import re
import uuid
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from referrals.models import CaseImport

PAGE = "/import/"


def upload(browser: Client, content: bytes, **fields: Any) -> Any:
    file = SimpleUploadedFile("overnight.csv", content, "text/csv")
    posted = {"key": str(uuid.uuid4()), "file": file, **fields}
    return browser.post(PAGE, {name: value for name, value in posted.items() if value is not None})


def page_of(browser: Client, held: CaseImport) -> str:
    response = browser.get(reverse("import_preview", args=[held.pk]))
    assert response.status_code == 200
    return text(response)


def save(browser: Client, held: CaseImport, page: str) -> Any:
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', page)
    assert seen
    return browser.post(reverse("import_save", args=[held.pk]), {"seen": seen[1]}, follow=True)


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())
