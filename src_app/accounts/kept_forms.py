"""A form that was sent and not saved, because the session had ended: kept by the browser until it is.

Nothing is kept on the server. What was typed goes into a cookie that only the server can read, for twelve
hours, with the account that typed it: nobody else is shown it. ``static/js/keep.js`` keeps what was not even
sent.
docs/decisions/0019-kept-forms.md says why so.
"""

import base64
import json
import re
import zlib
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.urls import Resolver404, resolve, reverse
from django.utils.crypto import get_random_string

from src_app.accounts.models import User
from src_app.keys import WrongKey, decrypt_kept_form, derived_key, encrypt_kept_form

KEPT_FOR = timedelta(hours=12)
COOKIE = f"{settings.COOKIE_PREFIX}kept_form"
# Says to the script which forms were answered: the last of their marks.
SAVED_COOKIE = f"{settings.COOKIE_PREFIX}saved_forms"
MOST_SAVED = 8
# No signature has this sign.
REFUSED = "!"
# No page of ours has a longer one; without its query it leads to the page as it is at first.
_LONGEST_ADDRESS = 2_000
# Browsers keep 4,096 bytes of name, value and attributes.
MOST_BYTES = 3_800
FIELD = "kept"
_NAME = re.compile("[a-z]+(?:_[a-z]+)*")
# Of no use to a reader.
_SAID_BY_THE_PAGE = frozenset({"key", "version", "seen", "asked", "back_to"})
# Not typed by anybody.
_NOT_KEPT = frozenset({FIELD, "csrfmiddlewaretoken"})


@dataclass(frozen=True)
class Mark:
    """What a form says of itself when it is sent: whose page it stood on, and where."""

    account: str
    page: str
    # Tells one showing of a page from another.
    signature: str


@dataclass(frozen=True)
class KeptForm:
    """What was sent to ``action`` (a path) from ``page`` (path and query) by ``account``, and not saved."""

    account: str
    page: str
    action: str
    fields: dict[str, list[str]]


def account_of(user: User) -> str:
    """What an account is called in forms and on devices; it tells nobody who that is."""
    return derived_key("kept_forms.account", str(user.pk)).hex()[:32]


def for_script(user: User) -> dict[str, str]:
    """What ``static/js/keep.js`` is told: whose forms it keeps, and the key it keeps them under."""
    key = base64.b64encode(derived_key("kept_forms.device", str(user.pk))).decode()
    return {"account": account_of(user), "key": key, "seconds": str(int(KEPT_FOR.total_seconds()))}


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="accounts.kept_forms")


def mark_of(request: HttpRequest) -> Mark | None:
    """The mark sent with a form, unless it is missing, older than ``KEPT_FOR``, or not of our making."""
    if request.method != "POST":
        return None
    try:
        sent = request.POST.get(FIELD, "")
        account, page, *_ = _signer().unsign(sent, max_age=KEPT_FOR).split(" ")
    except (signing.BadSignature, UnreadablePostError, SuspiciousOperation, MultiPartParserError):
        return None
    return Mark(account, page, sent.rpartition(":")[2])


def page_of(request: HttpRequest) -> str:
    """Where the page is that answers the request: that of the form, where one is sent back with errors."""
    mark = mark_of(request)
    if mark is not None:
        return mark.page
    address = request.get_full_path()
    is_read = request.method in ("GET", "HEAD")
    return address if is_read and len(address) <= _LONGEST_ADDRESS else request.path


def mark_for(request: HttpRequest, user: User) -> str:
    """The mark of the forms on the page being made; one sent back with errors keeps the mark it had."""
    mark = mark_of(request)
    if mark is not None and mark.account == account_of(user):
        return request.POST[FIELD]
    # Two showings within a second have one time.
    return _signer().sign(f"{account_of(user)} {page_of(request)} {get_random_string(8)}")


def received(request: HttpRequest) -> KeptForm | None:
    """The form that the request brings, to be kept; None where it brings none, or none that is kept."""
    mark = mark_of(request)
    if mark is None:
        return None
    fields = {name: [*map(str, values)] for name, values in request.POST.lists() if name not in _NOT_KEPT}
    return KeptForm(mark.account, mark.page, request.path, fields)


def keep(form: KeptForm, response: HttpResponse) -> bool:
    """Has the browser keep the form; False where it is too long for that."""
    content = zlib.compress(json.dumps(asdict(form), ensure_ascii=False).encode(), 9)
    token = encrypt_kept_form(content)
    if len(token) > MOST_BYTES:
        return False
    _set(response, COOKIE, token, httponly=True)
    return True


def kept(request: HttpRequest) -> KeptForm | None:
    """The form that the browser kept; None where there is none, or it is older than ``KEPT_FOR``.

    Nor is there one where an earlier release of this program kept it in another shape.
    """
    if COOKIE not in request.COOKIES:
        return None
    try:
        content = decrypt_kept_form(request.COOKIES[COOKIE], KEPT_FOR)
        found: dict[str, Any] = json.loads(zlib.decompress(content))
        return KeptForm(**found)
    except (WrongKey, TypeError, ValueError, zlib.error):
        return None


def page_in_words(form: KeptForm) -> str:
    """What kind of page it stood on, for a sentence: "Log contact". Whoever is at the device may read it."""
    try:
        found = resolve(urlsplit(form.page).path)
    except Resolver404:
        # Of an earlier release.
        return "another page"
    return _in_words(found.url_name or "")


def typed(form: KeptForm) -> list[tuple[str, str]]:
    """What of it may be read by itself: the name of each field in words, and what was typed or chosen."""
    return [
        (_in_words(name), ", ".join(map(_in_words, values)))
        for name, values in form.fields.items()
        if name not in _SAID_BY_THE_PAGE and any(values)
    ]


def _in_words(written: str) -> str:
    """A choice or a name as words: ``no_answer`` is "No answer", and a tick is "Yes"; a text as it is."""
    if written == "on":
        return "Yes"
    return written.replace("_", " ").capitalize() if _NAME.fullmatch(written) else written


def forget(response: HttpResponse) -> None:
    """Has the browser drop the form."""
    response.delete_cookie(COOKIE, samesite="Lax")


def say_answered(request: HttpRequest, response: HttpResponse, mark: Mark, *, saved: bool) -> None:
    """Tells the script what became of the form with this mark: what is saved it drops.

    What was refused has ``REFUSED`` before its signature, so that nobody is told that no answer came.
    """
    before = request.COOKIES.get(SAVED_COOKIE, "").split(".")[1 - MOST_SAVED :]
    others = [each for each in before if each and each.lstrip(REFUSED) != mark.signature]
    _set(
        response,
        SAVED_COOKIE,
        ".".join([*others, ("" if saved else REFUSED) + mark.signature]),
        httponly=False,
    )


def _set(response: HttpResponse, name: str, value: str, *, httponly: bool) -> None:
    response.set_cookie(
        name,
        value,
        max_age=KEPT_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=httponly,
        samesite="Lax",
    )


def is_sign_out(request: HttpRequest) -> bool:
    """Whether somebody signs out, who leaves nothing behind."""
    return request.method == "POST" and request.path == reverse("account_logout")
