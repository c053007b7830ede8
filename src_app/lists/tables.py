"""How every list looks: ``templates/partials/_table.html``, in one fixed order, paged by the view."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import django_tables2
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

# Of a column of numbers.
NUMERIC = {"cell": {"class": "app-numeric"}}


class ActionColumn(django_tables2.TemplateColumn):  # type: ignore[misc]  # no types
    """What can be done with a row: no part of a file, and its heading is only read aloud."""

    def __init__(self, template_name: str, verbose_name: str, **options: Any) -> None:
        super().__init__(
            template_name=template_name, verbose_name=verbose_name, exclude_from_export=True, **options
        )


@dataclass(frozen=True)
class Heading:
    """A column as the table's head and each of its cells show it.

    ``attributes`` are those of a cell; on a phone, where a row is a card, a cell says its label itself.
    """

    name: str
    label: str
    css: str
    hidden: bool
    attributes: SafeString


class ListTable(django_tables2.Table):  # type: ignore[misc]  # no types
    """A table whose rows come page by page from :mod:`src_app.lists.paging`.

    ``now`` is what waiting is told by.
    """

    def __init__(self, rows: Any, *, caption: str, **options: Any) -> None:
        """``caption`` names the table to a screen reader."""
        # Said here, because a table class does not inherit its parent's Meta.
        super().__init__(
            rows,
            attrs={"class": "app-table app-table--cards"},
            orderable=False,
            template_name="partials/_table.html",
            **options,
        )
        self.caption = caption
        self.now = timezone.now()
        for bound in self.columns.iterall():
            bound.render = _with_signature(bound.render)

    @property
    def headings(self) -> list[Heading]:
        """The columns shown. The first names the card that a row is on a phone, and an act names itself."""
        found: list[Heading] = []
        for bound in self.columns.iterall():
            if bound.visible:
                css = bound.column.attrs.get("cell", {}).get("class", "")
                hidden = isinstance(bound.column, ActionColumn)
                labelled = bool(found) and not hidden
                attributes = format_html(
                    "{}{}",
                    format_html(' class="{}"', css) if css else "",
                    format_html(' data-label="{}"', bound.header) if labelled else "",
                )
                found.append(Heading(bound.name, bound.header, css, hidden, attributes))
        return found

    @property
    def lines(self) -> Iterator[list[tuple[SafeString, Any]]]:
        """Each row's cells, each with its attributes."""
        columns = [(heading.attributes, heading.name) for heading in self.headings]
        for row in self.rows:
            yield [(attributes, row.get_cell(name)) for attributes, name in columns]


def _with_signature(render: Callable[..., Any]) -> Callable[..., Any]:
    """A column's method, its signature worked out once: django-tables2 asks for it at every cell."""

    def rendered(**given: Any) -> Any:
        return render(**given)

    rendered.__signature__ = inspect.signature(render)  # type: ignore[attr-defined]  # inspect reads it
    return rendered


def with_line(first: str, second: str) -> SafeString:
    """What matters, and a paler line under it."""
    return format_html('{} <span class="app-muted app-line">{}</span>', first, second)
