"""Under production settings Django's own list of what to secure has nothing to say, and a mistake is told.

The files that production is made from are read as files: no container is started.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from src_app.celery import app as celery_app
from tests.meta.production import PRODUCTION


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
        ALLOWED_HOSTS="elsewhere.example",
    )
    assert done.returncode == 1
    for said in (
        "(src_app.E002) LINKING_KEY",
        "(src_app.E003) TRIAL_SEAL_KEYS",
        "(src_app.E003) SECOND_FACTOR_KEYS",
        "(src_app.W001) EXTRACT_FOLDER",
        "(src_app.E004) ALLOWED_HOSTS",
        "(security.W009)",
    ):
        assert said in done.stderr
    assert "(src_app.E003) EXTRACT_KEYS" not in done.stderr


def test_cookies_are_of_this_host_alone_and_tls_is_asked_for_in_every_answer() -> None:
    code = """
import json
from django.conf import settings
from src_app.headers import headers
kinds = ("SESSION", "CSRF")
names = ("NAME", "SECURE", "HTTPONLY", "SAMESITE", "PATH", "DOMAIN")
cookies = {kind: [getattr(settings, f"{kind}_COOKIE_{name}") for name in names] for kind in kinds}
print(json.dumps({**cookies, "storage": settings.MESSAGE_STORAGE, "headers": headers()}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "src_app.settings", **PRODUCTION},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["SESSION"] == ["__Host-sessionid", True, True, "Lax", "/", None]
    assert found["CSRF"] == ["__Host-csrftoken", True, True, "Lax", "/", None]
    assert found["storage"].endswith("SessionStorage")
    assert found["headers"]["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


FILES = ("Dockerfile", "docker-compose.yml", "Procfile")


def _text(name: str) -> str:
    return Path(settings.BASE_DIR, name).read_text()


def _compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(_text("docker-compose.yml"))
    return found


@pytest.mark.parametrize("name", FILES)
def test_production_names_nothing_of_one_machine_or_of_the_tests(name: str) -> None:
    assert not re.findall(r"\b(?:local\.|supervisor|simulation|bench|tests|pytest|script/)", _text(name))


def test_the_image_installs_the_first_set_alone_and_by_its_hashes() -> None:
    dockerfile = _text("Dockerfile")
    assert set(re.findall(r"requirements/\S+\.txt", dockerfile)) == {"requirements/serve.txt"}
    (install,) = re.findall(r"^RUN pip install .*", dockerfile, re.MULTILINE)
    assert "--require-hashes" in install


def test_what_the_image_copies_is_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", _text("Dockerfile"), re.MULTILINE)
    names = [name for line in copied for name in line.split()]
    assert "requirements/serve.txt" in names
    assert [name for name in names if not Path(settings.BASE_DIR, name).exists()] == []


def test_the_image_leaves_out_what_does_not_serve() -> None:
    left_out = _text(".dockerignore").splitlines()
    assert {"local", "tests", "bench", "script", "var", ".venv", ".git", ".env"} <= set(left_out)
    assert not {"manage.py", "src_app", "referrals", "outcomes", "templates", "static", "requirements"} & set(
        left_out
    )


# The image says itself where it serves and where collected files lie.
OF_THE_IMAGE = {"WEB_BIND", "STATIC_ROOT"}


def test_every_variable_that_differs_reaches_the_containers() -> None:
    table = _text("README.md").split("| variable | what |")[1].split("\n\n")[0]
    named = {
        name
        for line in table.splitlines()[2:]
        for name in re.findall(r"`([A-Z][A-Z_]+)`", line.split("|")[1])
    }
    assert named > OF_THE_IMAGE
    services = _compose()["services"]
    for service in ("web", "worker", "mailer", "beat", "migrate"):
        left_out = OF_THE_IMAGE | (set() if service == "worker" else {"EXTRACT_FOLDER"})
        assert named - left_out - set(services[service]["environment"]) == set(), service


def test_a_variable_that_is_not_set_is_not_an_empty_one() -> None:
    """A key without a value is passed on only where it is set; ``${NAME}`` would be an empty text."""
    environment = _compose()["services"]["web"]["environment"]
    assert environment["FLAG_NAME"] is None
    for value in filter(None, environment.values()):
        for otherwise in re.findall(r"\$\{\w+([^}]*)\}", value):
            assert re.match(r":\?|:-.", otherwise), value


def test_mail_goes_to_the_catcher_unless_an_address_is_given() -> None:
    services = _compose()["services"]
    assert services["web"]["environment"]["EMAIL_URL"] == "${EMAIL_URL:-smtp://mail:1025}"
    assert services["mail"]["image"].startswith("axllent/mailpit:v")


def test_mail_has_a_queue_with_a_worker_of_its_own_in_both_files() -> None:
    queues = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert queues == {"mail"}
    for command in (" ".join(_compose()["services"]["mailer"]["command"]), _text("Procfile")):
        assert "celery -A src_app worker" in command
        assert "--queues mail" in command


def test_redis_answers_nobody_without_the_password() -> None:
    services = _compose()["services"]
    password = "${REDIS_PASSWORD:?}"
    assert services["redis"]["command"][-2:] == ["--requirepass", password]
    assert services["redis"]["environment"]["REDISCLI_AUTH"] == password
    assert f":{password}@redis:" in services["web"]["environment"]["REDIS_URL"]


def test_tasks_are_read_as_json_alone_and_nothing_of_them_is_kept() -> None:
    assert celery_app.conf.accept_content == ["json"]
    assert (celery_app.conf.task_serializer, celery_app.conf.event_serializer) == ("json", "json")
    assert celery_app.conf.result_backend is None


def test_every_image_of_others_is_a_version_and_every_port_is_this_machines_own() -> None:
    for service in _compose()["services"].values():
        if "build" not in service:
            assert re.search(r":v?\d", service["image"]), service["image"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
