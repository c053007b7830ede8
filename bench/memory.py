"""A page's context once everything in it is read, to be rendered again without a query."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from django import forms
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.test import Client
from django.test.client import ClientHandler
from django.urls import resolve

from referrals import navigation_counts
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.audit.record import record


@dataclass(frozen=True)
class Memory:
    """What the page's view gave its template, the counts that the navigation shows, and the banner."""

    request: HttpRequest
    template: str
    context: dict[str, Any]
    waiting: dict[str, Any]
    references: list[str]

    def render(self) -> HttpResponse:
        """The page from memory."""
        known: Any = {name: lambda _user, count=count: count for name, count in self.waiting.items()}
        with patch.multiple(navigation_counts, **known):
            return render(self.request, self.template, self.context)


class _FromMemory(ClientHandler):
    """Every middleware and the audit row of the page, whose view has its answer in memory."""

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self.memory = memory

    def _get_response(self, request: HttpRequest) -> HttpResponse:
        record(
            Action.LIST_SHOWN,
            by=request.user,  # type: ignore[arg-type]  # signed in
            purpose=Purpose.REVIEW,
            subject="case",
            references=self.memory.references,
        )
        return self.memory.render()


def served_from_memory(client: Client, memory: Memory) -> Client:
    """A browser signed in as the other, for which every page is that one."""
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.cookies = client.cookies
    browser.handler = _FromMemory(memory)
    return browser


def remembered(url: str, open_page: Callable[[], None]) -> Memory:
    """What the view behind the address gives ``render`` when the page is opened.

    Raises :class:`RuntimeError` where rendering it again asks the database for anything.
    """
    view = import_module(resolve(urlsplit(url).path).func.__module__)
    given: list[Any] = []

    def kept(*arguments: Any) -> HttpResponse:
        given.extend(arguments)
        return render(*arguments)

    with patch.object(view, "render", kept):
        open_page()
    request, template, context = given
    for form in _forms(context):
        for field in form.fields.values():
            if isinstance(field, forms.ModelChoiceField):
                # What a filter's field gives on is itself read anew each time: past its setter.
                known: Any = field.choices
                field._choices = field.widget.choices = list(known)  # type: ignore[attr-defined]
    user = request.user
    noted = AuditEntry.objects.filter(actor=user).latest("pk").references
    names = ("_banner", "_flags", "_follow_ups", "_imports")
    counts = {name: getattr(navigation_counts, name)(user) for name in names}
    memory = Memory(request, template, context, counts, noted)
    with connection.execute_wrapper(_refused):
        memory.render()
    return memory


def _forms(context: dict[str, Any]) -> Iterator[forms.BaseForm]:
    for value in context.values():
        found = getattr(value, "form", value)
        if isinstance(found, forms.BaseForm):
            yield found


def _refused(_execute: Any, statement: str, *_: Any) -> None:
    raise RuntimeError(f"Not in memory: {statement}")


@contextmanager
def queries_seen() -> Iterator[list[tuple[str, Any]]]:
    """The statements executed meanwhile, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def noted(execute: Any, statement: str, parameters: Any, *rest: Any) -> Any:
        seen.append((statement, parameters))
        return execute(statement, parameters, *rest)

    with connection.execute_wrapper(noted):
        yield seen
