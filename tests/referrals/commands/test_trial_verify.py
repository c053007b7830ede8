"""``trial_verify BUNDLE [--head FILE ...] [--json]``."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from referrals.standalone import trial_verify
from tests.referrals.standalone.bundles import changed, digest, heads_of, trial, write
from tests.referrals.standalone.runs import verify


def run(*arguments: str) -> int:
    """Runs the command; returns its exit status."""
    try:
        call_command("trial_verify", *arguments)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    return 0


def test_it_says_what_the_program_for_people_outside_says(tmp_path: Path, capsys: Any) -> None:
    bundle = trial("blocks")
    heads = heads_of(bundle, 10), heads_of(bundle, 20)
    paths = [write(tmp_path / f"{index}.json", each) for index, each in enumerate((bundle, *heads))]
    for options in ([], ["--json"]):
        assert run(paths[0], "--head", paths[1], "--head", paths[2], *options) == 0
        output = capsys.readouterr()
        assert output.err == ""
        assert output.out == verify(tmp_path, bundle, *heads, as_json=bool(options)).output


def test_a_difference_is_exit_1(tmp_path: Path, capsys: Any) -> None:
    path = write(tmp_path / "bundle.json", changed(trial("blocks"), 7, case=digest("x")))
    assert run(path, "--json") == 1
    assert json.loads(capsys.readouterr().out)["allocation"] == 7


def test_a_file_that_cannot_be_read_is_exit_2_in_one_line(tmp_path: Path, capsys: Any) -> None:
    assert run(write(tmp_path / "bundle.json", b"PK")) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == 1


def test_there_is_no_second_implementation(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def told(*arguments: object) -> int:
        asked.append(arguments)
        return 1

    monkeypatch.setattr(trial_verify, "verify", told)
    assert run("b.json", "--head", "h.json") == 1
    assert [arguments[:3] for arguments in asked] == [("b.json", ["h.json"], False)]
