"""The file is enough: any Python from 3.8, no other package, nothing of this project."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from referrals.standalone import trial_verify
from tests.referrals.standalone.bundles import before_reveal, changed, heads_of, trial, write

FILE = Path(trial_verify.__file__)
UNCOVERED = (
    "  - Allocations after the last head (which counts 30): 10. No head covers them: whoever held the seed "
    "may have written them anew, or removed others."
)


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a copy, elsewhere, with no package but the standard library."""
    shutil.copy(FILE, directory / "verify.py")
    command = [sys.executable, "-I", "-S", "-W", "error", "verify.py", *arguments]
    return subprocess.run(command, cwd=directory, env={}, capture_output=True, text=True, check=False)


def test_it_imports_the_standard_library_alone() -> None:
    imported = set()
    for node in ast.walk(ast.parse(FILE.read_text())):
        if isinstance(node, ast.Import):
            imported |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module).partition(".")[0])
    assert imported
    assert imported <= sys.stdlib_module_names
    assert not imported & {"importlib", "runpy", "subprocess", "socket", "urllib"}


def test_its_syntax_is_that_of_python_3_8() -> None:
    ast.parse(FILE.read_text(), feature_version=(3, 8))


def test_elsewhere_it_proves_a_trial_and_says_so(tmp_path: Path) -> None:
    bundle = trial("stratified_blocks")
    write(tmp_path / "bundle.json", bundle)
    write(tmp_path / "heads.json", heads_of(bundle, 10, 30))
    done = run(tmp_path, "bundle.json", "--head", "heads.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "VERIFIED",
        "Proved:",
        "  - The protocol and the seed are those of the commitment.",
        "  - Allocations, each chained under a key from the seed: 40.",
        "  - Arms that protocol and seed give their positions: 38, which is every one.",
        "  - Linked reports, each with the arm of the first of its unit: 2.",
        "  - No number and no position is missing or doubled.",
        "  - No unit is randomised twice, and no case counted twice.",
        "  - Heads met: 2, from files: 1.",
        "Not excluded:",
        UNCOVERED,
        f"  - {trial_verify.FROM_THE_REGISTRARS}",
        f"  - {trial_verify.NO_BUNDLE_SHOWS}",
    ]


def test_elsewhere_a_difference_is_exit_1_in_one_sentence(tmp_path: Path) -> None:
    write(tmp_path / "bundle.json", changed(trial("simple"), 7, arm="neither"))
    done = run(tmp_path, "bundle.json")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[:3] == [
        "DIFFERENT",
        'Allocation 7 has an arm that the trial has not, "neither".',
        "Allocations that agreed before it: 6.",
    ]


def test_elsewhere_json_stands_alone_and_several_files_of_heads_may_be_given_either_way(
    tmp_path: Path,
) -> None:
    bundle = before_reveal(trial("blocks"))
    write(tmp_path / "bundle.json", bundle)
    for number in (1, 2, 3):
        write(tmp_path / f"{number}.json", heads_of(bundle, number))
    done = run(tmp_path, "bundle.json", "--json", "--head", "1.json", "2.json", "--head", "3.json")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(done.stdout)
    assert report["result"] == "linked"
    assert (report["checked"]["heads"], report["checked"]["head_files"]) == (3, 3)


@pytest.mark.parametrize("arguments", [[], ["nowhere.json"], ["--heads", "x"], ["a", "b"]])
def test_elsewhere_wrong_arguments_are_exit_2_in_one_line(arguments: list[str], tmp_path: Path) -> None:
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
