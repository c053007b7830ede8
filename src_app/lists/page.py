"""A list on a page: what it is, and what one request asks of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

from django import forms
from django.db.models import Count, Max, Model, QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.choices import flatten_choices
from django.utils.functional import cached_property

from src_app.accounts.guards import SignedInRequest, check_authority, redirected
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.lists.download import FORMATS, MOST_IN_WORKBOOK, Rows, file_of
from src_app.lists.filters import ListFilter, filtered
from src_app.lists.paging import Paged, page_of, page_of_computed, walked
from src_app.lists.tables import ListTable

Row = TypeVar("Row")
Record = TypeVar("Record", bound=Model)

MOST_ROWS = 10_000
AT_ONCE = 1_000


@dataclass(frozen=True)
class Empty:
    """What an empty list means and what to do; ``url_name`` and ``link`` are the next step, if any."""

    title: str
    text: str
    url_name: str = ""
    link: str = ""

    @property
    def url(self) -> str:
        return reverse(self.url_name) if self.url_name else ""


@dataclass(frozen=True, kw_only=True)
class ListPage:
    """A list that is filtered, ordered, paged and downloaded.

    ``name`` is that of its files and of its part of the page, ``url_name`` that of the page, ``arguments``
    those of the page's address. ``prefix`` tells what the address says of it from what it says of another
    list of the page. ``references`` are the paths to what the audit log knows a row by; without any it names
    no row. ``told`` makes of a page of rows what the table shows, in a fixed number of queries. A file holds
    at most ``most`` rows, and says so if there are more; None: as many as there are, which takes rows that
    nobody changes and the log does not name.
    """

    name: str
    url_name: str
    caption: str
    table: type[ListTable]
    purpose: Purpose
    subject: str
    empty: Empty
    filters: type[ListFilter] | None = None
    references: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    prefix: str = ""
    per_page: int = 50
    most: int | None = MOST_ROWS
    told: Callable[[list[Any]], list[Any]] = list
    template: str = "lists/_rows.html"

    def asked(
        self,
        request: SignedInRequest,
        rows: "QuerySet[Record, Any]",
        *,
        searched: str = "",
        also: Sequence[forms.BoundField] = (),
    ) -> "Listed[Record]":
        """What the request asks of these rows.

        ``searched``: the reference that found them, if one did. ``also``: fields of another form on the page
        by which they are narrowed already.
        """
        assert self.filters is not None
        filterset = self.filters(request.GET, queryset=rows, user=request.user, prefix=self.prefix or None)
        form = cast(forms.Form, filterset.form)
        return Listed(self, request, form, _Read(self, filtered(filterset)), searched=searched, also=also)

    def computed(
        self,
        request: SignedInRequest,
        rows: Sequence[Row],
        *,
        form: forms.Form,
        key: Callable[[Row], int],
        file_name: str,
    ) -> "Listed[Row]":
        """The same of rows that were computed, filtered and ordered as ``form`` says; keys are unique."""
        return Listed(self, request, form, _Computed(self, rows, key), file_name=file_name)

    def of(self, *arguments: str) -> "ListPage":
        """The list on the page of one record, which its address names."""
        return replace(self, arguments=arguments)

    def parameter(self, name: str) -> str:
        """Its name in the address."""
        return f"{self.prefix}-{name}" if self.prefix else name

    @property
    def path(self) -> str:
        """The address, without what is asked."""
        return reverse(self.url_name, args=self.arguments)

    @property
    def where(self) -> dict[str, str]:
        """The address of its pages, and what names one there."""
        return {"name": self.parameter("page"), "path": self.path}


@dataclass(frozen=True)
class _Read:
    """Rows that the database reads."""

    page: ListPage
    queryset: "QuerySet[Any, Any]"

    def paged(self, request: SignedInRequest) -> Paged[Any]:
        return page_of(request, self.queryset, self.page.per_page, **self.page.where)

    def all(self, most: int | None) -> Rows:
        """The keys first, so that the file holds the rows that are recorded, whatever changes meanwhile."""
        if most is None:
            return self._whole()
        found = list(self.queryset.values_list("pk", *self.page.references)[: most + 1])
        is_cut = len(found) > most
        del found[most:]
        keys = [pk for pk, *_ in found]
        references = [str(named) for _, *names in found for named in names if named]
        return Rows(len(keys), references, self._chunks(keys), is_cut)

    def _whole(self) -> Rows:
        """Every row that is there now, by keyset: later ones have later keys."""
        found = self.queryset.order_by().aggregate(rows=Count("pk"), last=Max("pk"))
        rows = self.queryset.filter(pk__lte=found["last"]) if found["rows"] else self.queryset.none()
        return Rows(found["rows"], [], map(self.page.told, walked(rows, AT_ONCE)))

    def _chunks(self, keys: list[Any]) -> Iterator[list[Any]]:
        rows = self.queryset.order_by()
        for start in range(0, max(len(keys), 1), AT_ONCE):
            wanted = keys[start : start + AT_ONCE]
            found = {row.pk: row for row in rows.filter(pk__in=wanted)}
            yield self.page.told([found[key] for key in wanted if key in found])


@dataclass(frozen=True)
class _Computed(Generic[Row]):
    """Rows that are in memory already."""

    page: ListPage
    rows: Sequence[Row]
    key: Callable[[Row], int]

    def paged(self, request: SignedInRequest) -> Paged[Row]:
        page = self.page
        return page_of_computed(request, self.rows, page.per_page, key=self.key, **page.where)

    def all(self, most: int | None) -> Rows:
        rows = list(self.rows[:most])
        return Rows(len(rows), [], iter([self.page.told(rows)]), is_cut=len(rows) < len(self.rows))


class Listed(Generic[Row]):
    """One list, as one request asks for it."""

    def __init__(
        self,
        page: ListPage,
        request: SignedInRequest,
        form: forms.Form,
        source: "_Read | _Computed[Row]",
        *,
        searched: str = "",
        also: Sequence[forms.BoundField] = (),
        file_name: str = "",
    ) -> None:
        self.page = page
        self.request = request
        self.form = form
        self._source = source
        self._searched = searched
        self._also = also
        self._file_name = file_name or f"{page.name}-{timezone.localdate()}"

    @cached_property
    def paged(self) -> Paged[Row]:
        """The page of rows asked for."""
        return self._source.paged(self.request)

    @cached_property
    def table(self) -> ListTable:
        """Those rows as a table."""
        return self._table_of(self.page.told(self.paged.rows))

    def part(self) -> HttpResponseBase | None:
        """A file, or the rows alone where htmx asks for them; None where the whole page is asked for.

        Both are recorded here. A filter that makes no sense leads to the page, where that is said. Raises
        :class:`NotAllowed`, or Http404 for a page or format that is none.
        """
        if wanted := self.request.GET.get(self.page.parameter("format")):
            return self._download(wanted)
        if self.request.headers.get("HX-Target") != self.id:
            return None
        if self.has_errors:
            # The fields with what is wrong stand on the page, not in its part.
            return redirected(self.request, self.request.get_full_path())
        self.record_shown()
        answer = render(self.request, self.page.template, {"list": self, "partial": True})
        patch_vary_headers(answer, ["HX-Target"])
        return answer

    @property
    def references_shown(self) -> list[str]:
        """What the audit log knows the rows of this page by."""
        rows, paths = self.paged.rows, self.page.references
        return [_named(row, path) for row in rows for path in paths] if paths else self._found(len(rows))

    def record_shown(self, *others: str, beside: "Listed[Any] | None" = None) -> None:
        """Records the look at this page of rows, and at what the page shows besides.

        ``others`` are references; ``beside`` is another list, with its references and its filters.
        """
        besides = beside.references_shown if beside else []
        named = dict.fromkeys(name for name in [*self.references_shown, *besides, *others] if name)
        action = Action.SEARCHED if self._searched else Action.LIST_SHOWN
        self._record(action, named, {*self.filters_used, *(beside.filters_used if beside else [])})

    @property
    def id(self) -> str:
        """Of the part of the page that holds the rows."""
        return f"list-{self.page.name}"

    @property
    def filters_used(self) -> list[str]:
        """Names of the filters that were chosen, the order among them."""
        fields = [*self.form, *self._also]
        return [field.name for field in fields if self.request.GET.get(field.html_name)]

    @property
    def has_errors(self) -> bool:
        """Whether a filter makes no sense."""
        return bool(self.form.errors) or any(field.errors for field in self._also)

    @property
    def is_narrowed(self) -> bool:
        """Whether there may be rows that the filters, or a search, leave out, as one without sense does."""
        return bool(self._searched) or self.has_errors or bool({*self.filters_used} - {"order"})

    @property
    def looked_for(self) -> list[str]:
        """The search and each filter in use, in the page's words."""
        words = [f"a reference with “{self._searched}” in it"] if self._searched else []
        for field in [*self.form, *self._also]:
            if field.name != "order" and (asked := self.request.GET.get(field.html_name)):
                choices: Iterable[Any] = flatten_choices(getattr(field.field, "choices", ()))
                named = (str(label) for value, label in choices if str(value) == asked)
                words.append(f"{field.label}: {next(named, asked)}")
        return words

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What else the address says, of other lists on the page perhaps, to be sent with the filters."""
        own = {self.form.add_prefix(name) for name in self.form.fields}
        own |= {self.page.parameter("page"), self.page.parameter("format")}
        return [(name, str(value)) for name, value in self.request.GET.items() if name not in own]

    @property
    def downloads(self) -> list[tuple[str, str]]:
        """Words and address of each format, with the filters and the order of this page."""
        if not self.request.user.can(Permission.DOWNLOAD_LISTS):
            return []
        asked = self.request.GET.copy()
        asked.pop(self.page.parameter("page"), None)
        found = []
        for name, format_ in FORMATS.items():
            asked[self.page.parameter("format")] = name
            found.append((format_.words, f"{self.page.path}?{asked.urlencode()}"))
        return found

    @property
    def most_in_workbook(self) -> int:
        """How many rows a workbook holds at most."""
        return MOST_IN_WORKBOOK if self.page.most is None else min(self.page.most, MOST_IN_WORKBOOK)

    def _table_of(self, rows: list[Any]) -> ListTable:
        return self.page.table(rows, caption=self.page.caption)

    def _download(self, wanted: str) -> HttpResponseBase:
        if wanted not in FORMATS:
            raise Http404("There is no such format.")
        check_authority(self.request.user, Permission.DOWNLOAD_LISTS)
        if self.has_errors:
            return redirected(self.request, self._page_address())
        rows = self._source.all(self.most_in_workbook if wanted == "xlsx" else self.page.most)
        self._record(
            Action.DOWNLOADED,
            rows.references or self._found(rows.count),
            [*self.filters_used, *(["cut"] if rows.is_cut else [])],
            rows.count,
        )
        name = f"{self._file_name}-first-{rows.count}" if rows.is_cut else self._file_name
        return file_of(wanted, name, map(self._table_of, rows.chunks))

    def _page_address(self) -> str:
        """The page with all that is asked for but a file."""
        asked = self.request.GET.copy()
        asked.pop(self.page.parameter("format"), None)
        return f"{self.page.path}?{asked.urlencode()}"

    def _found(self, rows: int) -> list[str]:
        """What was searched for, where it is something's reference: a text that is none is not recorded."""
        return [self._searched] if self._searched and rows else []

    def _record(
        self, action: Action, references: Iterable[str], fields: Iterable[str], rows: int | None = None
    ) -> None:
        record(
            action,
            by=self.request.user,
            purpose=self.page.purpose,
            subject=self.page.subject,
            references=references,
            fields=fields,
            rows=rows,
        )


def _named(row: Any, path: str) -> str:
    """What stands at the end of the path; nothing where the row leads to none."""
    for name in path.split("__"):
        row = getattr(row, name, None)
    return str(row or "")


def answered(*lists: Listed[Any]) -> HttpResponseBase | None:
    """What one of the lists answers by itself, if the request asks one of them for a part."""
    return next((part for each in lists if (part := each.part()) is not None), None)
