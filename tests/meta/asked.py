"""What a page asks of a request: the names that it looks up in address and body, and its forms' fields."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from unittest import mock

from django import forms
from django.core.handlers.wsgi import WSGIRequest
from django.forms.boundfield import BoundField
from django.http import QueryDict

from tests.factories import NOW

_KEY = "11111111-1111-4111-8111-111111111111"
Names = dict[str, BoundField | None]


@dataclass
class Asked:
    """The names asked for so far, each with the field of the form that asked, if one did."""

    query: Names = field(default_factory=dict)
    body: Names = field(default_factory=dict)


class _Noting(QueryDict):
    """Notes each name that is looked up."""

    noted: Names | None = None

    def __getitem__(self, name: str) -> Any:
        self._note(name)
        return super().__getitem__(name)

    def getlist(self, name: str, default: Any = None) -> Any:
        self._note(name)
        return super().getlist(name, default)

    def __contains__(self, name: object) -> bool:
        self._note(str(name))
        return super().__contains__(name)

    def _note(self, name: str) -> None:
        if self.noted is not None:
            self.noted.setdefault(name, None)


def _noting(sent: QueryDict, names: Names) -> QueryDict:
    if not isinstance(sent, _Noting):
        sent.__class__ = _Noting
        sent.noted = names  # type: ignore[attr-defined]  # of its new class
    return sent


@contextmanager
def asked_for() -> Iterator[Asked]:
    """While it lasts, what requests are asked for is noted.

    Whatever a view looks up is found, in the request itself or through a form, so a parameter or a field that
    is new needs no mention here.
    """
    asked = Asked()
    query, body = WSGIRequest.GET.func, WSGIRequest._get_post  # type: ignore[attr-defined]
    shown = BoundField.data.fget  # type: ignore[attr-defined]

    def of_query(request: WSGIRequest) -> QueryDict:
        if "_query" not in request.__dict__:
            request.__dict__["_query"] = _noting(query(request), asked.query)
        found: QueryDict = request.__dict__["_query"]
        return found

    def forget_query(request: WSGIRequest) -> None:
        request.__dict__.pop("_query", None)

    def of_body(request: WSGIRequest) -> QueryDict:
        return _noting(body(request), asked.body)

    def of_field(bound: BoundField) -> Any:
        names = getattr(bound.form.data, "noted", None)
        # A form that is given a dict of its own is one of the address: bodies are handed on as they came.
        (asked.query if names is None else names)[bound.html_name] = bound
        return shown(bound)

    with (
        mock.patch.object(WSGIRequest, "GET", property(of_query, fdel=forget_query)),
        mock.patch.object(WSGIRequest, "POST", property(of_body, WSGIRequest._set_post)),  # type: ignore[attr-defined]
        mock.patch.object(BoundField, "data", property(of_field)),
    ):
        yield asked


def likely(bound: BoundField) -> list[str]:
    """What somebody might send for the field: what the form begins with, or else the first that fits."""
    field, initial = bound.field, bound.initial
    if initial not in (None, "", []):
        return [_text(each) for each in (initial if isinstance(initial, list | tuple) else [initial])]
    if isinstance(field, forms.ModelChoiceField):
        return [str(row.pk) for row in field.queryset[:1]]  # type: ignore[index]
    if isinstance(field, forms.ChoiceField):
        offered: Any = field.choices
        return next(([str(value)] for value, _ in offered if value), [])
    if isinstance(field, forms.IntegerField) and not bound.is_hidden:
        least: Any = field.min_value or 1
        return [str(least)]
    for kind, text in _LIKELY.items():
        if isinstance(field, kind):
            return [text]
    return []


_LIKELY: dict[type[forms.Field], str] = {
    forms.DateTimeField: f"{NOW:%Y-%m-%dT%H:%M}",
    forms.DateField: f"{NOW:%Y-%m-%d}",
    forms.UUIDField: _KEY,
    forms.EmailField: "registry@example.org",
    forms.BooleanField: "on",
    forms.RegexField: "01/7300001/26",
    forms.CharField: "Rank 4021",
}


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M}"
    return value.isoformat() if isinstance(value, date) else str(value)
