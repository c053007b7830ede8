"""Pages of a long list by keyset: the next starts after the last row, so a deep page costs as the first."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.core.paginator import InvalidPage
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from keyset_pagination.paginator import KeysetPaginator

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Paged(Generic[Row]):
    """One page of a list; an empty address means there is no such page."""

    rows: list[Row]
    next_url: str
    previous_url: str

    @property
    def is_part(self) -> bool:
        """Whether there is more of the list than this page."""
        return bool(self.next_url or self.previous_url)


def page_of(request: HttpRequest, queryset: "QuerySet[Row, Any]", per_page: int = 50) -> Paged[Row]:
    """The page that ``?page=`` asks for. The queryset's order must end in its primary key, without NULLs.

    Past the end it is the first page: rows that somebody dealt with meanwhile are no reason to say that
    nothing is left. Raises Http404 for a page address that is none.
    """
    asked = request.GET.get("page") or None
    try:
        page = KeysetPaginator(queryset, per_page).page(asked)
        rows = list(page.object_list)
        if asked and not rows:
            page = KeysetPaginator(queryset, per_page).page(None)
            rows = list(page.object_list)
    except (InvalidPage, ValidationError, ValueError, TypeError) as error:
        raise Http404("There is no such page.") from error
    return Paged(
        rows=rows,
        next_url=_address(request, page.next_page_number()) if rows else "",
        previous_url=_address(request, page.previous_page_number()) if rows else "",
    )


def _address(request: HttpRequest, number: str | None) -> str:
    if number is None:
        return ""
    kept = {name: value for name, value in request.GET.items() if name != "page"}
    return f"{request.path}?{urlencode({**kept, 'page': number})}"
