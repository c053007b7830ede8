"""What serves needs the first set of dependencies alone, and the locks agree with one another."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.meta.production import PRODUCTION

REQUIREMENTS = settings.BASE_DIR / "requirements"
SETS = ("serve", "local", "test")
IMPORT_WHAT_SERVES = Path(__file__).with_name("import_what_serves.py")


def _locked(name: str) -> dict[str, Requirement]:
    """What a lock names, by package; fails the test where it names one twice, for different Pythons."""
    lines = (REQUIREMENTS / f"{name}.txt").read_text().splitlines()
    found = [Requirement(line.removesuffix(" \\")) for line in lines if re.match(r"[a-z0-9]", line)]
    by_package: dict[str, Requirement] = {
        canonicalize_name(requirement.name): requirement for requirement in found
    }
    assert len(by_package) == len(found)
    return by_package


def _asked_for() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for, by set."""
    project: dict[str, Any] = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())
    asked = {"serve": project["project"]["dependencies"], **project["dependency-groups"]}
    return {name: [Requirement(line) for line in lines] for name, lines in asked.items()}


def _import_what_serves(python: Sequence[str], *site_packages: Path) -> str:
    """The output of an interpreter that sees `site_packages`; fails the test where it fails."""
    done = subprocess.run(
        [*python, "-P", str(IMPORT_WHAT_SERVES)],
        cwd="/",
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, site_packages)),
            "PYTHONDONTWRITEBYTECODE": "1",
            **PRODUCTION,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_serves_imports_with_the_first_set_alone(tmp_path: Path) -> None:
    for name, requirement in _locked("serve").items():
        if requirement.marker is None or requirement.marker.evaluate():
            installed = distribution(name)
            assert installed.version in requirement.specifier, f"{name} is not installed as locked"
            # A distribution's folders and single files; its commands lie outside, at "..".
            for top in {Path(file).parts[0] for file in installed.files or []} - {"..", "__pycache__"}:
                (tmp_path / top).symlink_to(str(installed.locate_file(top)))
    # -S: without the site-packages of the environment that the tests run in.
    output = _import_what_serves([sys.executable, "-S"], tmp_path)
    assert re.search(r"^\d{3} modules imported$", output, re.MULTILINE)


@pytest.mark.skipif(os.environ.get("THOROUGH") != "1", reason="installs some 60 packages from their index")
def test_what_serves_installs_and_imports_in_an_environment_of_its_own(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path)], check=True)
    python = str(tmp_path / "bin" / "python")
    # With dependencies resolved, unlike in script/set-up: a package that the lock forgets is an error here.
    lock = str(REQUIREMENTS / "serve.txt")
    subprocess.run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", lock], check=True)
    assert "modules imported" in _import_what_serves([python])


# Which packages each set's own code may import: what serves, what one machine needs, the tests.
IMPORTED_BY = {
    "serve": (["src_app", "referrals", "outcomes"], ["serve"]),
    "local": (["local", "bench"], ["serve", "local"]),
    "test": (["tests"], ["serve", "local", "test"]),
}
# The extra asks for it: tablib[xlsx].
BY_AN_EXTRA = {"openpyxl"}


def _imported(folder: str) -> set[str]:
    """The first parts of what the folder's modules import."""
    found: set[str] = set()
    for file in (settings.BASE_DIR / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("name", SETS)
def test_every_package_that_is_imported_is_asked_for(name: str) -> None:
    """One that another package happens to bring is gone when that no longer needs it."""
    folders, sets = IMPORTED_BY[name]
    asked = {canonicalize_name(each.name) for which in sets for each in _asked_for()[which]} | BY_AN_EXTRA
    packages = packages_distributions()
    missing = {
        module
        for module in set().union(*map(_imported, folders))
        if module in packages and not asked & {canonicalize_name(each) for each in packages[module]}
    }
    assert missing == set()


def test_sets_that_name_the_same_package_name_the_same_version() -> None:
    versions: dict[str, set[str]] = {}
    for name in SETS:
        for package, requirement in _locked(name).items():
            versions.setdefault(package, set()).add(str(requirement.specifier))
    assert [package for package, found in versions.items() if len(found) > 1] == []


@pytest.mark.parametrize("name", SETS)
def test_each_lock_holds_what_its_set_asks_for(name: str) -> None:
    locked = _locked(name)
    for asked in _asked_for()[name]:
        (pin,) = locked[canonicalize_name(asked.name)].specifier
        assert pin.version in asked.specifier, f"run script/lock: {asked}"


@pytest.mark.parametrize("name", SETS)
def test_every_package_is_locked_by_version_and_hash_and_no_index_is_named(name: str) -> None:
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    packages = re.findall(r"^[a-z0-9].*(?:\n .*)*", text, re.MULTILINE)
    assert [package for package in packages if not re.match(r"\S+==\S+ .*\n +--hash=sha256:", package)] == []
    assert "://" not in text
    assert "--index-url" not in text


def test_what_only_an_early_python_3_11_needs_is_locked_for_it() -> None:
    """redis asks for it before Python 3.11.3, such as Debian 12's; a lock made on a later one left it out."""
    marker = _locked("serve")["async-timeout"].marker
    assert marker is not None
    assert marker.evaluate({"python_full_version": "3.11.2"})
    assert not marker.evaluate({"python_full_version": "3.11.3"})
