"""References searched for, kept in the session under a token, so that an address can name a search.

A crime reference in an address would stand in access logs and in the browser's history.
"""

import secrets
from collections.abc import Callable

from django.http import Http404

from src_app.accounts.guards import SignedInRequest

# Each finds, of the records of one app, references that hold a part: at most so many.
FINDERS: list[Callable[[str, int], list[str]]] = []
MOST_FOUND = 50

_KEPT = "audit_searches"
_MOST = 10


def keep(request: SignedInRequest, reference: str) -> str:
    """Keeps the reference for this session and returns its token; the oldest of many is forgotten."""
    token = secrets.token_urlsafe(8)
    searches = list(request.session.get(_KEPT, {}).items())[-(_MOST - 1) :]
    request.session[_KEPT] = {**dict(searches), token: reference}
    return token


def kept(request: SignedInRequest) -> str:
    """The reference of ``?search=``; empty without one. Raises Http404 for a token not of this session."""
    token = request.GET.get("search", "")
    if not token:
        return ""
    try:
        return str(request.session.get(_KEPT, {})[token])
    except KeyError as error:
        raise Http404("This search has ended: search again.") from error


def holding(part: str) -> list[str]:
    """References of kept records that hold this part; one more than ``MOST_FOUND`` where there are too many.

    The log itself has an index of whole references alone.
    """
    found = [reference for find in FINDERS for reference in find(part, MOST_FOUND + 1)]
    return found[: MOST_FOUND + 1]
