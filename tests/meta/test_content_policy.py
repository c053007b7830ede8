"""The content policy of every page, and no template that it would break."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

# A message is no page: the policy does not reach it, and its styles can come from nowhere else.
TEMPLATES = sorted(
    path for path in (settings.BASE_DIR / "templates").rglob("*.html") if path.parent.name != "mail"
)
INLINE = re.compile(
    r"""<script(?![^>]*\bsrc=)|<style\b|\sstyle\s*=\s*["']|\son[a-z]+\s*=\s*["']|javascript:"""
)


def test_a_page_may_load_from_here_alone_and_run_nothing_inline(db: None) -> None:
    policy = Client().get(reverse("account_login")).headers["Content-Security-Policy"]
    assert {part.strip() for part in policy.split(";")} == {
        "default-src 'none'",
        "object-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "manifest-src 'self'",
    }


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_template_has_a_script_style_or_handler_of_its_own(template: Path) -> None:
    assert INLINE.findall(template.read_text()) == []
