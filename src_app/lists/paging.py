"""Pages of a long list by keyset: the next starts after the last row, so a deep page costs as the first."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.core.paginator import InvalidPage
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.utils import timezone
from keyset_pagination.paginator import KeysetPage, KeysetPaginator, attr_getter

Row = TypeVar("Row")
Record = TypeVar("Record", bound=Model)


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


def page_of(
    request: HttpRequest,
    queryset: "QuerySet[Record, Any]",
    per_page: int = 50,
    *,
    name: str = "page",
    path: str = "",
) -> Paged[Record]:
    """The page that ``?page=`` asks for, or ``?name=``. The order must end in the primary key, without NULLs.

    ``path``: the list's address, where the request's is another's.

    Past the end it is the first page: rows that somebody dealt with meanwhile are no reason to say that
    nothing is left. Raises Http404 for a page address that is none.
    """
    asked = request.GET.get(name) or None
    try:
        page = _Paginator(queryset, per_page).page(asked)
        rows = list(page.object_list)
        if asked and not rows:
            page = _Paginator(queryset, per_page).page(None)
            rows = list(page.object_list)
    except (InvalidPage, ValidationError, ValueError, TypeError, RecursionError) as error:
        raise Http404("There is no such page.") from error
    return Paged(
        rows=rows,
        next_url=_address(path or request.path, request.GET, name, page.next_page_number()) if rows else "",
        previous_url=_address(path or request.path, request.GET, name, page.previous_page_number())
        if rows
        else "",
    )


def walked(queryset: "QuerySet[Record, Any]", per_page: int) -> Iterator[list[Record]]:
    """All rows, page by page; one empty page where there is none. Its order is as for :func:`page_of`."""
    asked: str | None = None
    while True:
        page = _Paginator(queryset, per_page).page(asked)
        yield list(page.object_list)
        asked = page.next_page_number()
        if asked is None:
            return


def page_of_computed(
    request: HttpRequest,
    rows: Sequence[Row],
    per_page: int = 50,
    *,
    key: Callable[[Row], int],
    name: str = "page",
    path: str = "",
) -> Paged[Row]:
    """The page of rows that were computed and put in order, of which ``?page=`` names the first row's key.

    It is the first page where no row has that key.
    """
    asked = request.GET.get(name)
    start = next((at for at, row in enumerate(rows) if str(key(row)) == asked), 0)
    end = start + per_page
    return Paged(
        rows=list(rows[start:end]),
        next_url=_address(path or request.path, request.GET, name, str(key(rows[end])))
        if end < len(rows)
        else "",
        previous_url=_address(
            path or request.path, request.GET, name, str(key(rows[max(start - per_page, 0)]))
        )
        if start
        else "",
    )


class _Page(KeysetPage):  # type: ignore[misc]  # no types
    """A page whose rows may be known by any kind of key: the library's own cannot write a UUID."""

    def _key_for_instance(self, instance: Model, prev: bool = False) -> str:
        return json.dumps([prev, *(attr_getter(instance, key) for key in self.paginator.keys)], default=str)


class _Paginator(KeysetPaginator):  # type: ignore[misc]  # no types
    """Takes a page's address as it has given it: a direction, and of each key a value that a row may have."""

    def validate_number(self, number: str | None) -> list[Any] | None:
        """Raises InvalidPage, and what reading JSON and cleaning a field's value raises."""
        asked: list[Any] | None = super().validate_number(number)
        if asked is None:
            return None
        back, *values = asked
        if not isinstance(back, bool):
            raise InvalidPage("The direction is none.")
        return [back, *map(self._value, self.keys, values)]

    def _value(self, key: str, value: object) -> Any:
        # A fraction or an infinite number, of which JSON has many, is no value of a key; neither is true.
        if type(value) not in (str, int):
            raise InvalidPage("A key is a text or a whole number.")
        meta = self.object_list.model._meta
        name = key.removeprefix("-")
        field = meta.pk if name == "pk" else meta.get_field(name)
        # A column that the database works out is read as what it is worked out to.
        found = getattr(field, "output_field", field).clean(value, None)
        if isinstance(found, str) and "\0" in found:
            raise InvalidPage("No text of the database holds a NUL.")
        if isinstance(found, datetime) and timezone.is_naive(found):
            raise InvalidPage("A time is one of a place.")
        return found

    def _get_page(self, *args: Any, **kwargs: Any) -> _Page:
        return _Page(*args, **kwargs)


def _address(path: str, asked: QueryDict, name: str, number: str | None) -> str:
    if number is None:
        return ""
    kept = {each: value for each, value in asked.items() if each != name}
    return f"{path}?{urlencode({**kept, name: number})}"
