"""Whatever somebody fills in is kept for them when the session ends; a form to come as well."""

import re
from collections.abc import Iterator

from django.conf import settings

TEMPLATES = settings.BASE_DIR / "templates"
FORM = re.compile(r"<form\b(?P<tag>(?:[^>]|%}|{{[^}]*}})*?)>(?P<inside>.*?)</form>", re.DOTALL)
# What a form has that nobody fills in: tokens, keys, hidden fields, words, and what a list was asked
# or had in it.
NOT_FILLED_IN = re.compile(
    r"""{%\s*(csrf_token|kept_form|load[^%]*|if[^%]*|elif[^%]*|else|endif|for[^%]*|endfor)\s*%}"""
    r"""|{%\s*(with[^%]*|endwith)\s*%}"""
    r"""|{{\s*(form\.)?key\s*}}|{{\s*redirect_field\s*}}|{{\s*field\.as_hidden\s*}}"""
    r"""|{%\s*include\s+"(lists/_asked|crime_record/_compared)\.html"\s*%}"""
    r"""|<input\s[^>]*type="hidden"(?:[^>]|%}|{{[^}]*}})*>"""
    r"""|<button\b.*?</button>|<a\b.*?</a>|<p\b.*?</p>|<h2\b.*?</h2>""",
    re.DOTALL,
)
INCLUDE = re.compile(r"""{%\s*include\s+"([^"]+)"[^%]*%}""")
EXTENDS = re.compile(r"""{%\s*extends\s+"([^"]+)"\s*%}""")
ACTION = re.compile(r"""\saction="([^"]*)\"""")
ASKS = re.compile(r"<(input|textarea|select)\b|{{|{%")
# What is filled in and kept nowhere: the whole list, each with its reason.
NOT_KEPT = {
    "account/login.html": "a password",
    "account/reauthenticate.html": "a password",
    "account/password_change.html": "passwords",
    "mfa/authenticate.html": "a code that holds for half a minute",
    "mfa/reauthenticate.html": "a code that holds for half a minute",
    "mfa/webauthn/add_form.html": "what a passkey said, once",
    "mfa/webauthn/reauthenticate.html": "what a passkey said, once",
    "mfa/totp/activate_form.html": "a code that holds for half a minute",
    "mfa/totp/deactivate_form.html": "nothing but allauth's form without a field",
    "mfa/recovery_codes/generate.html": "nothing but allauth's form without a field",
    "audit/list.html": "a search: nothing is saved by it",
    "base.html": "a search: nothing is saved by it",
    "crime_record/compare_flags.html": "a file, which no page can put back",
    "cases/search.html": "a search: nothing is saved by it",
    "intake/upload.html": "a file, which no page can put back",
    "teams/team.html": "a code, which stands in the mail",
    "contact/_act.html": "one choice of a short list, of a row among many",
    "review/check.html": "ticks that say what was looked at: the script puts them back for the same texts",
}


def _post_forms() -> Iterator[tuple[str, str]]:
    """Each POST form of the templates: the template's name, and what is inside of the form."""
    for path in sorted(TEMPLATES.rglob("*.html")):
        for found in FORM.finditer(path.read_text()):
            if 'method="post"' in found["tag"]:
                yield str(path.relative_to(TEMPLATES)), found["inside"]


def test_each_form_that_is_filled_in_is_kept_or_has_a_reason_not_to_be() -> None:
    filled_in = [
        (name, inside) for name, inside in _post_forms() if ASKS.search(NOT_FILLED_IN.sub("", inside))
    ]
    assert {"contact/log_contact.html", "review/_case_form.html", "trial/wards.html"} <= dict(
        filled_in
    ).keys()
    assert {name for name, inside in filled_in if "{% kept_form %}" not in inside} == NOT_KEPT.keys()


def _whole(name: str) -> str:
    """A template with what it includes and extends by name."""
    text = (TEMPLATES / name).read_text() if (TEMPLATES / name).exists() else ""
    text += "".join(_whole(parent) for parent in EXTENDS.findall(text))
    return INCLUDE.sub(lambda found: _whole(found[1]), text)


def test_no_page_has_two_kept_forms_that_go_to_one_address() -> None:
    """The script keeps one form for each address, and the server fills the first of its page."""
    most = 0
    for path in TEMPLATES.rglob("*.html"):
        text = _whole(str(path.relative_to(TEMPLATES)))
        kept = [found for found in FORM.finditer(text) if "{% kept_form %}" in found["inside"]]
        actions = {found[1] if (found := ACTION.search(form["tag"])) else "" for form in kept}
        assert len(actions) == len(kept), f"{path}: {actions}"
        for form in kept:
            before = text[: form.start()]
            assert before.count("{% for ") == before.count("{% endfor %}"), f"{path}: a kept form in a loop"
        most = max(most, len(kept))
    assert most == 2  # of trial/wards.html


def test_nothing_of_signing_in_is_kept() -> None:
    kept = {name for name, inside in _post_forms() if "{% kept_form %}" in inside}
    assert "contact/log_contact.html" in kept
    assert {name.partition("/")[0] for name in kept}.isdisjoint({"account", "mfa", "allauth"})
