"""How every list looks: ``templates/partials/_table.html``, in one fixed order, paged by the view."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import django_tables2
from django.template.base import render_value_in_context
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_tables2.columns import BoundColumn
from django_tables2.rows import BoundRow
from django_tables2.utils import Accessor

# Of a column of numbers.
NUMERIC = {"cell": {"class": "app-numeric"}}


class RowTemplateColumn(django_tables2.TemplateColumn):  # type: ignore[misc]  # no types
    """A cell drawn by a template, in the context of the page: the library copies that for each row.

    There is none in a file, which takes the table's ``value_…`` instead.
    """

    def render(
        self, record: Any, table: "ListTable", value: Any, bound_column: Any, **given: Any
    ) -> SafeString:
        own = self.get_context_data(
            record=record, table=table, value=value, bound_column=bound_column, **given
        )
        page = table.context
        with page.update(own):
            drawn: SafeString = page.template.engine.get_template(self.template_name).render(page)
        return drawn


class ActionColumn(RowTemplateColumn):
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

    ``now`` is what waiting is told by. ``is_compact``: on a phone a row's card has its cells side by side.
    """

    is_compact = False

    def __init__(self, rows: Any, *, caption: str, **options: Any) -> None:
        """``caption`` names the table to a screen reader."""
        # Said here, because a table class does not inherit its parent's Meta.
        super().__init__(
            rows,
            attrs={"class": f"app-table app-table--cards{' app-table--compact' if self.is_compact else ''}"},
            orderable=False,
            template_name="partials/_table.html",
            **options,
        )
        self.caption = caption
        self.now = timezone.now()

    @cached_property
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
    def lines(self) -> Iterator[SafeString]:
        """Each row's cells, as ``{{ cell }}`` shows them: escaped, and times as London's clocks show them."""
        columns = [(heading.attributes, _drawn(self.columns[heading.name])) for heading in self.headings]
        for row in self.rows:
            yield SafeString(
                "\n".join(
                    f'<td role="cell"{attributes}>{render_value_in_context(draw(row), self.context)}</td>'
                    for attributes, draw in columns
                )
            )


def _drawn(bound: BoundColumn) -> Callable[[BoundRow], Any]:
    """What draws a row's cell as ``row.get_cell`` does; what holds for every row is worked out once.

    A page has hundreds of cells. A column does not link by itself, and shows the words of a choice only by a
    ``render_…`` of its table.
    """
    accessor, column = Accessor(bound.accessor), bound.column
    wanted = inspect.signature(bound.render).parameters
    same = {"column": column, "bound_column": bound, "table": bound._table}
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in wanted.values())

    def draw(row: BoundRow) -> Any:
        value = accessor.resolve(row.record, quiet=True)
        if value in column.empty_values:
            return bound.default
        given = {**same, "value": value, "record": row.record, "bound_row": row}
        return bound.render(**(given if takes_all else {name: given[name] for name in wanted}))

    return draw


def with_line(first: str, second: str) -> SafeString:
    """What matters, and a paler line under it."""
    return format_html('{} <span class="app-muted app-line">{}</span>', first, second)
