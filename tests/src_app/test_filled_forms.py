"""What a page was sent is put back into its form, whatever way a template writes its fields."""

import re
from html.parser import HTMLParser

from django.utils.html import escape

from src_app.filled_forms import fill

PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>A &amp; B &#8211; C</title></head><body>
<p>R&D &copy 2026
&#8211 &#x2013; P&L&M</p>
<svg viewBox="0 0 1 1"><path d="M0 0"/></svg><!-- as it was -->
<main><div id="kept-form-notice" role="status"></div>
<form method="post" action="/account/logout/"><input name="note" value="other"></form>
<form method="post"><input name="line" value="of a form without the mark"></form>
<form method="post" id="it"><input type="hidden" name="kept" value="mark">
<input type="hidden" name="key" value="new"><input type="password" name="word"><input type="file" name="file">
<input name="line" value="before" class="wide"><br>
<details><summary>More</summary><textarea name="note" rows="3">before &lt;b&gt;</textarea></details>
<details><summary>Less</summary><input name="empty"></details>
<input type="checkbox" name="tick" value="a" checked><input type="checkbox" name="tick" value="b">
<input type="radio" name="one" value="x" checked><input type="radio" name="one" value="y">
<select name="list"><option value="1" selected>One</option><option value="2">Two</option></select>
<input name="twin"><input name="twin"><button name="go" value="1">Go</button>
</form>
<input name="outside" form="it"><input name="line" value="not of it">
</main></body></html>"""
SENT = {
    "key": ["old"],
    "word": ["secret"],
    "file": ["x"],
    "line": ['a "quoted" <line>'],
    "note": ["\n<script>alert(1)</script> & more"],
    "empty": [""],
    "tick": ["b"],
    "one": ["y"],
    "list": ["2"],
    "twin": ["first", "second"],
    "outside": ["there"],
}


class _Fields(HTMLParser):
    """What a browser would show: each field's name and value, whether it is ticked, and each fold."""

    def __init__(self, page):
        super().__init__()
        self.inputs, self.text, self.open, self.selected = [], None, [], []
        self._in_text = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "input":
            self.inputs.append((given["name"], given.get("value"), "checked" in given))
        elif tag == "details":
            self.open.append("open" in given)
        elif tag == "option" and "selected" in given:
            self.selected.append(given["value"])
        self._in_text = tag == "textarea"
        if self._in_text:
            self.text = ""

    def handle_endtag(self, tag):
        self._in_text = False

    def handle_data(self, data):
        if self._in_text:
            self.text += data


def filled(fields=SENT, action="/page/", page=PAGE):
    return fill(
        page, path="/page/", action=action, mark="kept", fields=fields, notice="<p>As you left it.</p>"
    )


def test_every_kind_of_field_stands_as_it_was_sent():
    shown = _Fields(filled())
    assert shown.inputs == [
        ("note", "other", False),
        ("line", "of a form without the mark", False),
        ("kept", "mark", False),
        ("key", "old", False),
        ("word", None, False),
        ("file", None, False),
        ("line", 'a "quoted" <line>', False),
        ("empty", "", False),
        ("tick", "a", False),
        ("tick", "b", True),
        ("one", "x", False),
        ("one", "y", True),
        ("twin", "first", False),
        ("twin", "second", False),
        ("outside", "there", False),
        ("line", "not of it", False),
    ]
    # A browser takes the first line end of a text field for none of its text.
    assert shown.text == "\n\n<script>alert(1)</script> & more"
    assert shown.selected == ["2"]


def test_what_is_folded_away_and_filled_is_opened():
    assert _Fields(filled()).open == [True, False]


def test_what_was_sent_is_never_part_of_the_page_itself():
    page = filled()
    assert "<script>" not in page
    assert escape("<script>alert(1)</script>") in page


def test_the_notice_stands_in_its_place_and_the_rest_of_the_page_as_it_was():
    def of_the_rest(page):
        return re.sub(
            r'<form method="post".*</form>|<input name="(outside|line)"[^>]*>', "", page, flags=re.S
        )

    page = filled()
    assert '<div id="kept-form-notice" role="status"><p>As you left it.</p></div>' in page
    assert of_the_rest(page.replace("<p>As you left it.</p>", "")) == of_the_rest(PAGE)


def test_a_page_without_that_form_is_left_alone():
    assert filled(action="/elsewhere/") is None
    assert filled(page=PAGE.replace('method="post" id="it"', 'method="get" id="it"')) is None
