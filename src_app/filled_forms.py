"""A page's form filled in once more: what the page was sent, put back into its HTML.

Templates write fields in many ways. What they wrote is known from the page alone, so that a form to come
needs nothing for it but its mark.
"""

from collections.abc import Mapping, Sequence
from html import escape
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

# What nobody fills in, or what no page may hold for them. Hidden fields say what was on the page, such as the
# version of a decision or the key that makes one thing of what is sent twice: they go back as they were sent.
NOT_FILLED = frozenset({"password", "file", "submit", "button", "image", "reset"})
NOTICE_ID = "kept-form-notice"
Fields = Mapping[str, Sequence[str]]
Attributes = list[tuple[str, str | None]]


def fill(page: str, *, path: str, action: str, mark: str, fields: Fields, notice: str) -> str | None:
    """The page with ``fields`` in its POST form that goes to the path ``action``; None where there is none.

    The form is the first such that has a hidden field with the name ``mark``. ``path`` is the page's own,
    where a form without an action goes. A box or button whose value is not among the fields is not ticked.
    ``notice`` (HTML) is put into the element with the id ``NOTICE_ID``.
    """
    marked = _MarkedForms(mark)
    marked.feed(page)
    filler = _Filler(path, action, fields, marked.found)
    filler.feed(page)
    filler.close()
    if not filler.found:
        return None
    if filler.notice_at is not None:
        filler.written[filler.notice_at] += notice
    return "".join(filler.written)


class _MarkedForms(HTMLParser):
    """Finds which forms of a page have the mark, by their number from 1."""

    def __init__(self, mark: str) -> None:
        super().__init__()
        self.mark, self.number = mark, 0
        self.found: set[int] = set()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        """Counts forms, and looks for the mark in each."""
        if tag == "form":
            self.number += 1
        elif tag == "input" and ("name", self.mark) in attrs:
            self.found.add(self.number)


class _Filler(HTMLParser):
    """Writes the page again as it reads it."""

    def __init__(self, path: str, action: str, fields: Fields, marked: set[int]) -> None:
        super().__init__(convert_charrefs=False)
        self.path, self.action, self.marked = path, action, marked
        self.number = 0
        self.left = {name: list(values) for name, values in fields.items()}
        self.fields = {name: set(values) for name, values in fields.items()}
        self.written: list[str] = []
        self.found = False
        self.notice_at: int | None = None
        self._form_id: str | None = None
        self._in_form = False
        self._in_select: str | None = None
        self._in_text = False
        self._folded: list[int] = []

    def feed(self, page: str) -> None:
        """Reads a whole page."""
        self.lines = page.split("\n")
        super().feed(page)

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        """Tags are written as they were, but for those of the form's fields."""
        given = dict(attrs)
        if tag == "form":
            self.number += 1
            self._in_form = not self.found and self.number in self.marked and self._is_the_form(given)
            if self._in_form:
                self.found, self._form_id = True, given.get("id")
                attrs = [*attrs, ("data-filled", None)]
        elif tag == "details":
            self._folded.append(len(self.written))
        elif self._belongs(given):
            attrs = self._filled(tag, attrs, given)
        elif tag == "option" and self._in_select is not None:
            attrs = _switched(attrs, "selected", given.get("value") in self.fields.get(self._in_select, ()))
        self._write(self._tag(tag, attrs) if attrs != list(given.items()) else self.get_starttag_text())
        if given.get("id") == NOTICE_ID:
            self.notice_at = len(self.written) - 1
        if self._in_text:
            self._write(f"\n{escape(self._next(given))}")

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        """As a tag that begins; what is drawn in a page closes its own tags."""
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Leaves the form, list, text or fold."""
        if tag == "form":
            self._in_form = False
        elif tag == "select":
            self._in_select = None
        elif tag == "textarea":
            self._in_text = False
        elif tag == "details" and self._folded:
            self._folded.pop()
        self._write(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Text stays, but for what a filled text field held before."""
        if not self._in_text:
            self._write(data)

    def handle_entityref(self, name: str) -> None:
        """As text."""
        self._refer(f"&{name}")

    def handle_charref(self, name: str) -> None:
        """As text."""
        self._refer(f"&#{name}")

    def handle_comment(self, data: str) -> None:
        """Stays."""
        self._write(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        """Stays."""
        self._write(f"<!{decl}>")

    def _refer(self, written: str) -> None:
        """Ends as it does in the page, which may leave the semicolon out: ``R&D``."""
        line, column = self.getpos()
        is_ended = self.lines[line - 1].startswith(";", column + len(written))
        self.handle_data(f"{written};" if is_ended else written)

    def _write(self, text: str | None) -> None:
        self.written.append(text or "")

    def _is_the_form(self, given: Mapping[str, str | None]) -> bool:
        goes_to = urlsplit(urljoin(self.path, given.get("action") or self.path)).path
        return (given.get("method") or "").lower() == "post" and goes_to == self.action

    def _belongs(self, given: Mapping[str, str | None]) -> bool:
        inside = given["form"] == self._form_id if given.get("form") else self._in_form
        return self.found and inside and bool(given.get("name"))

    def _filled(self, tag: str, attrs: Attributes, given: Mapping[str, str | None]) -> Attributes:
        name = given["name"] or ""
        if tag == "select":
            self._in_select = name
        elif tag == "textarea":
            self._in_text = name in self.fields
            if self._in_text and self.left[name] and self.left[name][0]:
                self._unfold()
        elif tag == "input":
            kind = (given.get("type") or "text").lower()
            if kind in ("checkbox", "radio"):
                ticked = (given.get("value") or "on") in self.fields.get(name, ())
                if ticked:
                    self._unfold()
                return _switched(attrs, "checked", ticked)
            if kind not in NOT_FILLED and name in self.fields:
                value = self._next(given)
                if value and kind != "hidden":
                    self._unfold()
                return [*((key, old) for key, old in attrs if key != "value"), ("value", value)]
        return attrs

    def _next(self, given: Mapping[str, str | None]) -> str:
        """The next of the values sent under the field's name: several fields may share one."""
        values = self.left.get(given.get("name") or "")
        return values.pop(0) if values else ""

    def _unfold(self) -> None:
        """Opens what the field is folded away in."""
        for at in self._folded:
            if not self.written[at].endswith(" open>"):
                self.written[at] = f"{self.written[at].rstrip('>')} open>"

    @staticmethod
    def _tag(tag: str, attrs: Attributes) -> str:
        parts = (key if value is None else f'{key}="{escape(value)}"' for key, value in attrs)
        return f"<{' '.join((tag, *parts))}>"


def _switched(attrs: Attributes, name: str, on: bool) -> Attributes:
    kept = [(key, value) for key, value in attrs if key != name]
    return [*kept, (name, None)] if on else kept
