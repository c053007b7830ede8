"""The search for a trial's secrets finds them, however they are written, and takes nothing else for them."""

import base64
import hashlib
import json
import random
import zlib
from itertools import islice
from urllib.parse import quote

import pytest

from referrals.rules.trial.allocation import (
    Arm,
    Design,
    Scheme,
    arms_of,
)
from tests.factories import SEED
from tests.traces import FEWEST_ARMS, FORMS, NAMES_OF_ARMS, Traces

KEY = hashlib.sha256(b"any").digest()
ARMS = list(islice(arms_of(KEY, Design(Scheme.BLOCKS, target=200, block_sizes=(4, 6, 8))), 80))
PAST, TO_COME = ARMS[:20], ARMS[20:]
TRACES = Traces(secrets={"seed": SEED, "key": KEY}, to_come={"Merton": TO_COME})

written_in = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@written_in
@pytest.mark.parametrize(("name", "secret"), TRACES.secrets.items(), ids=TRACES.secrets)
def test_a_secret_is_found_in_every_form(form, name, secret):
    assert TRACES.found_in(b"before " + form(secret) + b" after") == {name}


@written_in
@pytest.mark.parametrize("half", [SEED[:17], SEED[15:]], ids=["first", "second"])
def test_half_of_a_secret_is_found_in_every_form(form, half):
    assert TRACES.found_in(b"before " + form(half) + b" after") == {"seed"}


@written_in
@pytest.mark.parametrize(
    "encoded",
    [
        lambda content: b'{"body": "' + base64.b64encode(content) + b'", "properties": {}}',
        lambda content: (
            b"." + base64.urlsafe_b64encode(zlib.compress(content)).strip(b"=") + b":1uQ:signature"
        ),
        lambda content: rb"\x" + content.hex().encode(),
        lambda content: rb"\x" + base64.b64encode(content).hex().encode(),
        lambda content: json.dumps({"line": json.dumps(content.decode("latin-1"))}).encode(),
        lambda content: content.replace(b"\\", b"\\\\"),
        lambda content: quote(content).encode(),
    ],
    ids=["message", "session", "bytea", "base64 in bytea", "JSON in JSON", "COPY", "address"],
)
def test_a_secret_is_found_inside_of_what_is_encoded_itself(form, encoded):
    assert TRACES.found_in(encoded(b"some words before it " + form(SEED) + b" and some words after")) == {
        "seed"
    }


def test_what_a_secret_is_hashed_to_and_another_secret_are_no_trace():
    others = (hashlib.sha256(SEED).digest(), hashlib.sha256(KEY).digest(), bytes(reversed(SEED)))
    assert [TRACES.found_in(form(other)) for other in others for form in FORMS.values()] == [
        set() for _ in others for _ in FORMS
    ]


def joined(arms, names, separator):
    return separator.join(names[0] if arm is Arm.SRC else names[1] for arm in arms).encode()


@pytest.mark.parametrize("separator", ["", " ", ",", "\n", "\t", ", ", '", "', "</td>\n        <td>"])
@pytest.mark.parametrize("names", NAMES_OF_ARMS)
@pytest.mark.parametrize("start", [0, 31, len(TO_COME) - FEWEST_ARMS])
def test_arms_to_come_are_found_whatever_they_are_called_and_parted_by(start, names, separator):
    run = TO_COME[start : start + FEWEST_ARMS]
    for written in (joined(run, names, separator), joined(run, names, separator).upper()):
        assert TRACES.found_in(b"[" + written + b"]") == {"arms of Merton"}


@pytest.mark.parametrize("names", NAMES_OF_ARMS)
def test_fewer_arms_and_past_ones_are_no_trace(names):
    assert TRACES.found_in(joined(TO_COME[: FEWEST_ARMS - 1], names, " ")) == set()
    assert TRACES.found_in(joined(PAST, names, " ")) == set()


def test_one_arm_and_then_the_other_is_no_trace():
    arms = [Arm.SRC] * 6 + [Arm.CONTROL] * 6
    assert Traces(secrets={}, to_come={"Merton": arms}).found_in(b"{1,1,1,1,1,1,0,0,0,0,0,0}") == set()


def test_arms_to_come_after_past_ones_are_found():
    assert TRACES.found_in(joined([*PAST, *TO_COME[:FEWEST_ARMS]], ("src", "control"), ",")) == {
        "arms of Merton"
    }


def test_a_megabyte_of_anything_else_is_no_trace():
    assert TRACES.found_in(random.Random(5).randbytes(10**6)) == set()
