"""What the documents name exists, and each decision says when it was taken and whether it still holds."""

import re
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
