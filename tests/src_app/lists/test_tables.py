"""How a list draws its rows: nothing that a cell, a heading or a default says becomes a part of the page."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import django_tables2
from django.template import Context, Template
from django.utils.safestring import mark_safe

from src_app.lists.tables import ListTable

SIGNS, ESCAPED = '<b>"&', "&lt;b&gt;&quot;&amp;"


@dataclass
class Row:
    """Something to show."""

    typed: Any = SIGNS
    made: str = mark_safe("<i>made</i>")
    missing: Any = None


class Rows(ListTable):
    """Of each kind of cell one."""

    first = django_tables2.Column(verbose_name="First", accessor="typed")
    typed = django_tables2.Column(verbose_name=f"Heading {SIGNS}")
    made = django_tables2.Column(verbose_name="Made")
    missing = django_tables2.Column(verbose_name="Missing", default=f"none {SIGNS}")


def _page(row: Row) -> str:
    page = Template("{% load django_tables2 %}{% render_table table %}")
    return page.render(Context({"table": Rows([row], caption=f"Caption {SIGNS}")}))


def test_what_is_typed_is_escaped_wherever_it_stands() -> None:
    page = _page(Row())
    assert SIGNS not in page
    for escaped in (
        f'<td role="cell">{ESCAPED}</td>',
        f'<td role="cell" data-label="Heading {ESCAPED}">{ESCAPED}</td>',
        f">none {ESCAPED}</td>",
        f'aria-label="Caption {ESCAPED}"',
    ):
        assert escaped in page


def test_what_was_made_safe_is_left_as_it_is() -> None:
    assert '<td role="cell" data-label="Made"><i>made</i></td>' in _page(Row())


def test_a_time_is_londons_as_in_a_template() -> None:
    for typed in (datetime(2026, 7, 23, 7, 30, tzinfo=UTC), date(2026, 7, 23), 1_234):
        assert f">{Template('{{ typed }}').render(Context({'typed': typed}))}</td>" in _page(Row(typed=typed))
    assert "8:30" in _page(Row(typed=datetime(2026, 7, 23, 7, 30, tzinfo=UTC)))
