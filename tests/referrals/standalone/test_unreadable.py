"""No file, whatever its bytes, ends in a traceback, and none that is not whole is verified."""

import json
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from referrals.standalone import trial_verify
from tests.referrals.standalone.bundles import Bundle, before_reveal, heads_of, trial
from tests.referrals.standalone.runs import Run, verify

BUNDLES = [trial("minimisation", 6), before_reveal(trial("stratified_blocks", 6))]
HEADS = heads_of(BUNDLES[0], 0, 3)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


def assert_refused(run: Run) -> None:
    assert (run.status, run.output) == (2, "")
    assert len(run.error.splitlines()) == 1


def assert_ended(run: Run) -> None:
    """It found something, with a sentence, or could not read it, with a line; it never was content."""
    if run.status == 1:
        assert run.report["problem"].endswith(".")
    else:
        assert_refused(run)


@given(st.binary(max_size=200))
@example(b"")
@example(b"[" * 200_000)
@example(b'{"a":' * 200_000)
@example(b'{"format": "src-trial-1", "protocol": ' + b'{"a":' * 900 + b"1" + b"}" * 901)
@example(b"\xef\xbb\xbf{}")
@example(b"1" * 5_000)
@example('{"format": "src-trial-1"}'.encode("utf-16"))
def test_any_bytes_are_refused_in_one_line(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        assert_refused(verify(Path(directory), content))
        assert_refused(verify(Path(directory), BUNDLES[0], content))


@pytest.mark.parametrize("depth", [*range(100, 1100, 20), *range(930, 1000)])
def test_a_protocol_nested_however_deeply_is_verified_or_refused(depth: int, tmp_path: Path) -> None:
    """Reading, checking and hashing come to the end of the stack at different depths."""
    content = json.dumps(BUNDLES[1] | {"protocol": "X"}).replace(
        '"X"', '{"a":' + "[" * depth + "]" * depth + "}"
    )
    assert_ended(verify(tmp_path, content.encode()))
    content = json.dumps(BUNDLES[0] | {"protocol": "X"}).replace(
        '"X"', '{"a":' + "[" * depth + "]" * depth + "}"
    )
    assert_ended(verify(tmp_path, content.encode()))


@given(st.data(), st.sampled_from(BUNDLES))
def test_a_truncated_bundle_is_refused(data: st.DataObject, bundle: Bundle) -> None:
    content = json.dumps(bundle).encode()
    with tempfile.TemporaryDirectory() as directory:
        assert_refused(verify(Path(directory), content[: data.draw(st.integers(0, len(content) - 1))]))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value inside a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for name, each in inner for found in [(*path, name), *places(each, (*path, name))]]


def replaced(whole: Any, path: tuple[Any, ...], by: Any) -> Any:
    """A copy with another value in one place."""
    copy = deepcopy(whole)
    holder = copy
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = by
    return copy


@given(st.data(), st.sampled_from(BUNDLES))
def test_a_bundle_with_any_other_value_in_any_place_is_never_verified(
    data: st.DataObject, bundle: Bundle
) -> None:
    path = data.draw(st.sampled_from(places(bundle)))
    forged = replaced(bundle, path, data.draw(anything))
    with tempfile.TemporaryDirectory() as directory:
        run = verify(
            Path(directory), json.dumps(forged).encode(), HEADS if bundle["seed"] else heads_of(bundle, 6)
        )
        if json.dumps(forged) != json.dumps(bundle) and not (
            bundle["seed"] is None and path[0] == "protocol"
        ):
            assert_ended(run)


@given(st.data())
def test_heads_with_any_other_value_in_any_place_are_never_a_traceback(data: st.DataObject) -> None:
    forged = replaced(HEADS, data.draw(st.sampled_from(places(HEADS))), data.draw(anything))
    with tempfile.TemporaryDirectory() as directory:
        run = verify(Path(directory), BUNDLES[0], json.dumps(forged).encode())
    if run.status:
        assert_ended(run)
    else:
        assert forged["commitment"] == BUNDLES[0]["commitment"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"seed":', '"seed": null, "seed":'),
        ('"number": 1,', '"number": 1.0,'),
        ('"number": 1,', '"number": 1e0,'),
        ('"number": 1,', '"number": NaN,'),
        ('"number": 1,', '"number": -0,'),
        ('"number": 1,', '"number": true,'),
        ('"number": 1,', '"number": "1",'),
        ('"position": 1,', '"position": true,'),
        ('"title": "', '"title": "\\ud800'),
        ('"coin": 70', '"coin": Infinity'),
        ('"follows": null,', ""),
        ('"number": 1,', '"number": 1, "salt": "x",'),
        ('"levels": {', '"levels": {"\\udfff": "x", '),
        ('"levels": {"', '"levels": {"x": 1, "'),
        ('"format": "src-trial-1"', '"format": "src-trial-2"'),
        ('"format":', '"note": "", "format":'),
        (f'"seed": "{BUNDLES[0]["seed"]}"', '"seed": ""'),
        (f'"seed": "{BUNDLES[0]["seed"]}"', f'"seed": "{BUNDLES[0]["seed"].upper()}"'),
        (f'"seed": "{BUNDLES[0]["seed"]}"', '"seed": null'),
        ('"commitment": "', '"commitment": "0'),
    ],
)
def test_what_another_program_might_read_otherwise_is_refused(
    before: str, after: str, tmp_path: Path
) -> None:
    content = json.dumps(BUNDLES[0])
    assert before in content
    run = verify(tmp_path, content.replace(before, after, 1).encode())
    assert_refused(run)
    assert run.error.startswith('"bundle.json" cannot be checked: ')


@pytest.mark.parametrize("number", ["1.0", "1e0", "NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_whole_is_named(number: str, tmp_path: Path) -> None:
    run = verify(tmp_path, f'{{"format": {number}}}'.encode())
    assert_refused(run)
    assert run.error == f'"bundle.json" cannot be checked: {number} is no whole number.\n'


def test_a_protocol_that_cannot_be_hashed_is_refused_before_the_reveal_too(tmp_path: Path) -> None:
    assert_refused(verify(tmp_path, json.dumps(BUNDLES[1] | {"protocol": {"title": "\ud800"}}).encode()))


def test_arms_shown_before_the_reveal_are_refused(tmp_path: Path) -> None:
    assert_refused(verify(tmp_path, BUNDLES[0] | {"seed": None}))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "src-trial-2"},
        {"commitment": "x"},
        {"heads": {}},
        {"note": ""},
        {"heads": [{"count": 1, "hash": "", "on": "2026-11-24"}]},
        {"heads": [{"count": 0, "hash": "0" * 64, "on": "2026-11-24"}]},
        {"heads": [{"count": -1, "hash": "0" * 64, "on": "2026-11-24"}]},
        {"heads": [{"count": 0, "hash": "", "on": "2026-02-30"}]},
        {"heads": [{"count": 0, "hash": "", "on": "2026/11/24"}]},
        {"heads": [{"count": False, "hash": "", "on": "2026-11-24"}]},
        {"heads": [{"count": 0, "hash": ""}]},
        {"heads": [[]]},
    ],
)
def test_heads_in_another_form_are_refused_with_the_name_of_the_file(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    run = verify(tmp_path, BUNDLES[0], HEADS, HEADS | changes)
    assert_refused(run)
    assert '"heads-1.json"' in run.error


def test_a_file_over_200_mb_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(trial_verify.LARGEST_FILE + 1)
    with pytest.raises(trial_verify.Unreadable, match="larger than 200 MB"):
        trial_verify.read(str(tmp_path / "large.json"))


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere", "\0"):
        with pytest.raises(trial_verify.Unreadable, match="cannot be opened"):
            trial_verify.read(str(path))


def test_nothing_of_a_file_can_steer_the_terminal_or_flood_it(tmp_path: Path) -> None:
    forged = replaced(BUNDLES[0], ("allocations", 2, "arm"), "\x1b[2J" + "é" * 10_000)
    output = verify(tmp_path, forged, as_json=False).output
    assert output.isascii()
    assert "\x1b" not in output
    assert len(output) < 500
