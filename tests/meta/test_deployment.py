"""Under production settings Django's own list of what to secure has nothing to say, and a mistake is told."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

KEYS = {
    "SECRET_KEY": "Xp2" * 30 + "!#%&(=)Qw",
    "LINKING_KEY": "0123456789abcdef" * 4,
    "SECOND_FACTOR_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "EXTRACT_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "TRIAL_SEAL_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgres://src_runtime@db/src",
    "DATABASE_OWNER_URL": "postgres://src_owner@db/src",
    "REDIS_URL": "redis://redis:6379/0",
    "ALLOWED_HOSTS": "contact.example",
    "SITE_URL": "https://contact.example",
    **KEYS,
}


def _check(**changed: str) -> subprocess.CompletedProcess[str]:
    """``manage.py check --deploy`` with no variable but those given."""
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], **PRODUCTION, **changed},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_left_to_secure() -> None:
    done = _check()
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr
    assert "silenced" not in done.stdout.replace("(0 silenced)", "")


@pytest.mark.parametrize(
    "changed",
    [
        {"DATABASE_OWNER_URL": PRODUCTION["DATABASE_URL"]},
        {"DATABASE_URL": "postgres://src_owner:password@db:5432/src"},
    ],
)
def test_serving_as_the_owner_is_told(changed: dict[str, str]) -> None:
    done = _check(**changed)
    assert done.returncode == 1
    assert "(src_app.E001)" in done.stderr


def test_of_several_mistakes_each_is_told() -> None:
    """In one run: starting the command is what takes long."""
    done = _check(
        LINKING_KEY="short",
        TRIAL_SEAL_KEYS="none",
        SECOND_FACTOR_KEYS="none",
        EXTRACT_FOLDER="/nowhere/at/all",
        SECRET_KEY="short",
    )
    assert done.returncode == 1
    for said in (
        "(src_app.E002) LINKING_KEY",
        "(src_app.E003) TRIAL_SEAL_KEYS",
        "(src_app.E003) SECOND_FACTOR_KEYS",
        "(src_app.W001) EXTRACT_FOLDER",
        "(security.W009)",
    ):
        assert said in done.stderr
    assert "(src_app.E003) EXTRACT_KEYS" not in done.stderr
