"""What the documents name exists, and each decision says when it was taken and whether it still holds."""

import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_THE_PROJECT = {".git", ".venv", "node_modules", "var"}
# Folders inside the watched folder, which is somewhere else.
IN_THE_WATCHED_FOLDER = {"SW/", ".taken/", "done/", "refused/"}

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_QUOTED = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.*-]*[\w*-](?:/[\w.*-]+)*/?")
_FILE_NAME = re.compile(r"[\w*-]+\.(?:csv|html|json|md|py|scss|sql|toml|txt|yml)")
_DOTTED = re.compile(r"(?:src_app|referrals|outcomes|local|bench)(?:\.\w+)+")
_TEST = re.compile(r"(?P<file>[\w./-]+\.py)::(?P<name>\w+)")
_STATUS = re.compile(r"\d{4}-\d\d-\d\d · (?:accepted|superseded by \[\d{4}\]\(\d{4}-[\w-]+\.md\))")


def file_names() -> set[str]:
    """The names of all files of the project, without their folders."""
    folders = [each for each in ROOT.iterdir() if each.is_dir() and each.name not in NOT_THE_PROJECT]
    inside = (file.name for folder in folders for file in folder.rglob("*"))
    return {*inside, *(file.name for file in ROOT.iterdir())}


FILE_NAMES = file_names()


def links(document: Path) -> Iterator[str]:
    """What the document links to within the project."""
    return (to for to in _LINK.findall(document.read_text()) if "://" not in to)


def paths(document: Path) -> Iterator[str]:
    """What stands in backquotes and is a path: with a slash between, or with the ending of a file."""
    for quoted in _QUOTED.findall(document.read_text()):
        # `script/test -m browser` names script/test.
        word = quoted.split()[0]
        if _PATH.fullmatch(word) and ("/" in word or _FILE_NAME.fullmatch(word)):
            yield word


def modules(document: Path) -> Iterator[str]:
    """What stands in backquotes and is a dotted name of the project's own: a module, or something in one."""
    words = (quoted.split("(")[0] for quoted in _QUOTED.findall(document.read_text()))
    return (word for word in words if _DOTTED.fullmatch(word) and not _FILE_NAME.fullmatch(word))


def named_tests(document: Path) -> Iterator[tuple[str, str]]:
    """The tests that the document names in backquotes, each by its file and its own name."""
    for quoted in _QUOTED.findall(document.read_text()):
        if found := _TEST.fullmatch(quoted):
            yield found["file"], found["name"]


def is_test(file: str, name: str) -> bool:
    """Whether that file has a test of that name."""
    path = ROOT / file
    return path.is_file() and f"\ndef {name}(" in path.read_text()


def exists(path: str) -> bool:
    """Whether there is such a path from the project's root or, without a folder, a file of that name."""
    if "/" not in path and "*" not in path:
        return path in FILE_NAMES
    return path in IN_THE_WATCHED_FOLDER or any(ROOT.glob(path.rstrip("/")))


def resolves(dotted: str) -> bool:
    """Whether the name leads to a module, or to something in one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            if not hasattr(found, name):
                return False
            found = getattr(found, name)
        return True
    return False


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_path_and_name_in_a_document_exists(document: Path) -> None:
    missing = [to for to in links(document) if not (document.parent / to).exists()]
    missing += [path for path in paths(document) if not exists(path)]
    missing += [name for name in modules(document) if not resolves(name)]
    missing += [f"{file}::{name}" for file, name in named_tests(document) if not is_test(file, name)]
    assert missing == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda decision: decision.name)
def test_every_decision_has_a_date_and_a_status_below_its_title(decision: Path) -> None:
    title, empty, status, *_ = decision.read_text().splitlines()
    assert title.startswith(f"# {int(decision.name[:4])}. ")
    assert empty == ""
    assert _STATUS.fullmatch(status), status


def test_paths_are_found_and_missed() -> None:
    """Else the tests above could pass because they look at nothing."""
    found = set(paths(ROOT / "docs" / "architecture.md"))
    assert {"docs/data-register.csv", "src_app/database.py", "script/bench"} <= found
    assert exists("seal.py")
    assert exists("requirements/*.txt")
    assert not exists("nowhere.py")
    assert not exists("referrals/nowhere.py")
    assert resolves("src_app.audit.record.acting")
    assert not resolves("src_app.audit.record.missing")
    named = set(named_tests(ROOT / "docs" / "asvs.md"))
    assert ("tests/src_app/accounts/test_second_factor.py", "test_a_code_opens_once") in named
    assert not is_test("tests/src_app/accounts/test_second_factor.py", "test_a_code")
    assert not is_test("tests/nowhere.py", "test_a_code_opens_once")


REQUIREMENT = re.compile(r"\| ([\d.]+) \| [12, ]+ \| [^|]+ \| (met|not met|not applying) \| [^|]+ \|")
# A line that stands for several: how many of level 1 and 2 there are.
SEVERAL = {"4.3": 2, "4.4": 4, "6.6": 3, "6.8": 4, "7.6": 2, "9.1": 3, "10": 29, "17": 7}


def test_the_standard_is_gone_through_whole_and_its_numbers_are_those_of_the_table() -> None:
    text = (ROOT / "docs" / "asvs.md").read_text()
    lines = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    found = [line.groups() for line in map(REQUIREMENT.fullmatch, lines) if line]
    assert len({number for number, _ in found}) == len(found) == len(lines)
    counted: Counter[str] = Counter()
    for number, state in found:
        counted[state] += SEVERAL.get(number, 1)
    assert counted.total() == 253
    said = re.findall(r"\*\*(\d+) (met|not met|not applying)\*\*", text)
    assert {state: int(number) for number, state in said} == counted


def test_what_is_met_names_a_test_or_a_file() -> None:
    for line in (ROOT / "docs" / "asvs.md").read_text().splitlines():
        if "| met |" in line:
            by = line.split("| met |")[1]
            assert _TEST.search(by) or "`" in by or "allauth" in by or "below" in by, line


# Keys, hashes, and names that are drawn.
_CRYPTOGRAPHY = re.compile(
    r"(?:hashlib|hmac|secrets|signing|crypto)\.\w|\b(?:sha256|Fernet|salted_hmac|derived_key)\("
)


def test_every_file_that_uses_a_key_hash_or_random_name_is_in_the_inventory() -> None:
    text = (ROOT / "docs" / "asvs.md").read_text()
    inventory = text.split("## Keys and algorithms")[1].split("\n## ")[0]
    folders = ("src_app", "referrals", "outcomes", "static/js")
    code = [
        file for folder in folders for kind in ("py", "js") for file in (ROOT / folder).rglob(f"*.{kind}")
    ]
    found = {str(file.relative_to(ROOT)) for file in code if _CRYPTOGRAPHY.search(file.read_text())}
    assert len(found) > 10
    assert {name for name in found if f"`{name}`" not in inventory} == set()
