"""How every list looks: ``templates/partials/_table.html``, in one fixed order, paged by the view."""

from typing import Any

import django_tables2


class ListTable(django_tables2.Table):  # type: ignore[misc]  # no types
    """A table whose rows come page by page from :func:`src_app.paging.page_of`."""

    def __init__(self, rows: Any, *, caption: str, **options: Any) -> None:
        """``caption`` names the table to a screen reader."""
        # Said here, because a table class does not inherit its parent's Meta.
        super().__init__(
            rows,
            attrs={"class": "app-table"},
            orderable=False,
            template_name="partials/_table.html",
            **options,
        )
        self.caption = caption
