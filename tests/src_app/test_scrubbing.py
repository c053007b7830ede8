"""What finds a person is taken out of a text however it is written; what only looks like it stays."""

import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import phonenumbers
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from src_app.scrubbing import (
    LONGEST_LINE,
    REMOVED,
    found_in,
    plain,
    scrub,
    scrub_keys,
    scrub_line,
    scrub_references,
    visible,
)
from tests.spellings import MUST_GO, MUST_STAY, traces_in
from tests.thorough import repeated

EXAMPLES = repeated(200, 20_000)
INVISIBLE = st.text(
    st.sampled_from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u2066\u034f\ufe0f\x07"), max_size=3
)
SEPARATORS = st.one_of(
    st.text(
        st.sampled_from(" .-/_*~\u00a0\u2009\u2013\u2014\u2011\u00b7\u2022|\uff0d\uff0e\u3000"), max_size=3
    ),
    st.sampled_from(["(", ")", ") ", " (", ",", "\n"]),
)


def test_the_tables_are_long_enough_and_name_nothing_twice() -> None:
    assert len(set(MUST_GO)) == len(MUST_GO) >= 60
    assert len(set(MUST_STAY)) == len(MUST_STAY) >= 60
    assert all(traces_in(spelling) for spelling in MUST_GO)


@pytest.mark.parametrize("spelling", MUST_GO, ids=ascii)
def test_what_finds_a_person_goes_however_it_is_written(spelling: str) -> None:
    for text in (
        spelling,
        f"Ring {spelling} after six",
        f"({spelling})",
        f"CAD {spelling}",
        f"CAD 4711/22NOV26\n{spelling}\n",
    ):
        scrubbed = scrub(text)
        assert REMOVED in scrubbed
        assert traces_in(scrubbed) == []
        assert scrub(scrubbed) == scrubbed
    assert scrub(f"Ring {spelling} after six").startswith("Ring ")
    assert scrub(f"Ring {spelling} after six").endswith(" after six")


@pytest.mark.parametrize("text", MUST_STAY, ids=ascii)
def test_what_only_looks_like_it_stays(text: str) -> None:
    for written in (text, f"Seen {text} today", f"{text}, {text}", f"Ask PC 1234SW: {text}."):
        assert scrub(written) == written


def _parted(signs: str, pieces: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The signs, with one of the pieces after each of them but the last."""
    between = st.lists(pieces, min_size=len(signs) - 1, max_size=len(signs) - 1)
    return between.map(lambda found: "".join(map("".join, zip(signs, [*found, ""], strict=True))))


# What is written as a day or as a crime reference is taken for one, even between other digits.
DAY_OR_REFERENCE = re.compile(r"(?<!\d)(?:\d\d?([./-])\d\d?\1\d\d|\d\d/\d{4,8}/\d\d)(?!\d)", re.ASCII)


@settings(max_examples=EXAMPLES, deadline=None)
@given(_parted("07700900123", SEPARATORS) | _parted("02079460123", SEPARATORS))
def test_no_separator_saves_a_telephone_number(text: str) -> None:
    assume(not DAY_OR_REFERENCE.search(plain(text)))
    assert traces_in(scrub(f"Ring {text} please")) == []


@pytest.mark.parametrize(
    "text", ["077009_0.01_23", "07 7.00 900 123", "077,0.0900123", "02-0794-60)123", "077009 (00.12) 3"]
)
def test_a_part_that_reads_as_a_time_or_a_fraction_saves_no_telephone_number(text: str) -> None:
    assert traces_in(scrub(f"Ring {text} please")) == []


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.sampled_from(MUST_GO).flatmap(lambda spelling: _parted(spelling, INVISIBLE)))
def test_no_sign_that_cannot_be_seen_saves_anything(text: str) -> None:
    assert traces_in(scrub(text)) == []


@settings(max_examples=EXAMPLES, deadline=None)
@given(SEPARATORS, st.sampled_from(["SW15", "sw15", "\uff33\uff37\uff11\uff15"]))
def test_no_separator_saves_a_postcode(between: str, outward: str) -> None:
    assert traces_in(scrub(f"lives at {outward}{between}4QQ now")) == []


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_scrubbed_once_and_for_all(text: str) -> None:
    scrubbed = scrub_references(text)
    assert scrub_references(scrubbed) == scrubbed
    assert plain(visible(text)) == plain(text)


CODES: dict[str, Callable[[str], str]] = {
    "an address": lambda text: quote(text, safe=""),
    "a form": quote_plus,
    "an address in an address": lambda text: quote(quote(text)),
    "four times an address": lambda text: quote(quote(quote(quote(text)))),
    "every sign": lambda text: "".join(f"%{each:02x}" for each in text.encode()),
    "escapes": lambda text: text.encode("unicode_escape").decode(),
    "escapes of every sign, as JSON has them": lambda text: re.sub(
        "....", r"\\u\g<0>", text.encode("utf-16-be").hex()
    ),
    "escapes of escapes": lambda text: text.encode("unicode_escape").decode().replace("\\", "\\\\"),
    "UTF-8 taken for Latin-1": lambda text: text.encode().decode("latin-1"),
}


@pytest.mark.parametrize("code", CODES)
def test_what_finds_a_person_goes_out_of_a_line_whatever_code_it_is_written_in(code: str) -> None:
    for text in (*MUST_GO, "01/7654321/26", "CAD4711/22NOV26"):
        for line in (f"/case/{CODES[code](text)}/", f"Not Found: {CODES[code](text)}"):
            scrubbed = scrub_line(line)
            assert REMOVED in scrubbed, line
            assert traces_in(scrubbed) == []


def test_a_line_with_nothing_to_find_stays_as_it_was_written() -> None:
    for line in ("/case/1%2F2/?q=a%20b", "100%", "a+b", "C:\\x41", "caf\u00e9", "/static/css/main.3f077.css"):
        assert scrub_line(line) == line


def test_a_line_in_code_again_and_again_is_left_out_as_a_whole() -> None:
    assert scrub_line(f"/\\x5c{'x5c' * 600}x30") == REMOVED
    text = "07700 900123"
    for _ in range(20):
        text = quote(text, safe="")
    assert scrub_line(text) == REMOVED


@pytest.mark.parametrize(
    "written",
    ["CAD4711/22NOV26", "cad 4711 / 22nov26", "4711/22NOV26", "4711-22-NOV-26", "C\u200bAD4711/22NOV26"],
)
def test_a_reports_own_incident_goes_however_it_is_written(written: str) -> None:
    assert scrub_keys(f"See {written} first", ["CAD4711/22NOV26"]) == f"See {REMOVED} first"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("", "nothing to find"),
        ("12", "12 officers"),
        ("UNKNOWN", "The suspect is unknown"),
        ("4711", "ask PC 14711"),
        ("CAD4711/22NOV26", "CAD4712/22NOV26"),
    ],
)
def test_a_key_that_is_not_in_the_text_or_says_nothing_takes_nothing_out(key: str, text: str) -> None:
    assert scrub_keys(text, [key]) == text


def test_a_long_text_costs_no_more_than_its_length_asks_for() -> None:
    """Each of these would take minutes if the cost grew with the square of the length."""
    for piece in ("a", "a.", "1 ", "0", "a@", "SW1 ", "+(", "\u200b", "at "):
        assert isinstance(scrub_references(piece * 50_000), str)


@pytest.mark.parametrize(
    ("piece", "most"),
    [("1 ", 0), ("0 ", 0), ("0", 0), ("0900 ", 0), ("07 7 ", 0.5), ("+1 ", 3), ("0033 ", 1)],
)
def test_the_telephone_library_is_asked_of_what_may_be_a_number_alone(
    piece: str, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    parse = phonenumbers.parse

    def counted(number: str, region: str) -> phonenumbers.PhoneNumber:
        asked.append(number)
        return parse(number, region)

    monkeypatch.setattr(phonenumbers, "parse", counted)
    text = piece * (3_000 // len(piece))
    scrub(text)
    assert len(asked) <= most * len(text)


def test_a_long_line_of_a_log_is_cut_and_no_number_across_the_cut_is_left() -> None:
    for place in range(LONGEST_LINE - 40, LONGEST_LINE + 1):
        scrubbed = scrub_line("x" * (place - 1) + " 07700900123 " + "y" * 5_000_000)
        assert len(scrubbed) < LONGEST_LINE
        assert re.search(r"\d", scrubbed) is None


def test_what_was_found_is_named_once_and_in_its_order() -> None:
    assert found_in("SW15-4QQ, 07700\u200b900123 or SW15-4QQ") == ["SW15-4QQ", "07700900123"]
    assert found_in("Ring after six") == []


@pytest.mark.parametrize(
    "written",
    [
        "CAD4711/22NOV2026",
        "CAD 4711",
        "cad-4711-22-nov-26",
        "01-7654321-26",
        "01/7654321/26",
    ],
)
def test_a_reference_goes_however_it_is_written_where_others_read_it(written: str) -> None:
    assert scrub_references(f"Wrong in {written} only") == f"Wrong in {REMOVED} only"
