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
from django.urls import resolve

from src_app import gunicorn_settings
from src_app.celery import app as celery_app
from src_app.headers import HEADERS
from tests.meta.production import PRODUCTION

ONLY_TLS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload"}


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
        METRICS_TOKEN="short",
        TRIAL_SEAL_KEYS="none",
        SECOND_FACTOR_KEYS="none",
        EXTRACT_FOLDER="/nowhere/at/all",
        SECRET_KEY="short",
        ALLOWED_HOSTS="elsewhere.example",
        WORK_EMAIL_DOMAINS="",
        MAIL_ONLY_TO="example.org",
    )
    assert done.returncode == 1
    for said in (
        "(src_app.E002) LINKING_KEY",
        "(src_app.E005) METRICS_TOKEN",
        "(src_app.E003) TRIAL_SEAL_KEYS",
        "(src_app.E003) SECOND_FACTOR_KEYS",
        "(src_app.W001) EXTRACT_FOLDER",
        "(src_app.E004) ALLOWED_HOSTS",
        "(src_app.E005) WORK_EMAIL_DOMAINS",
        "(src_app.E006) MAIL_ONLY_TO",
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
cookies["OTHERS"] = settings.COOKIE_PREFIX
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
    assert found["OTHERS"] == "__Host-"
    assert found["storage"].endswith("SessionStorage")
    assert found["headers"] == {**HEADERS, **ONLY_TLS}


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


def test_web_is_reached_by_the_proxy_alone() -> None:
    services = _compose()["services"]
    assert {name for name, service in services.items() if "ports" in service} == {"proxy", "mail"}
    assert services["proxy"]["ports"] == ["127.0.0.1:8000:8080"]
    assert "./docker/nginx.conf:/etc/nginx/nginx.conf:ro" in services["proxy"]["volumes"]
    assert _nginx("set $gunicorn") == ["http://web:8000"]
    assert set(_nginx("proxy_pass")) == {"$gunicorn"}
    assert '--bind", "0.0.0.0:8000' in _text("Dockerfile")


def test_what_serves_is_asked_whether_it_lives_and_the_proxy_whether_it_can_serve() -> None:
    services = _compose()["services"]
    for name, port, asked in (("web", 8000, "health_live"), ("proxy", 8080, "health_ready")):
        check = " ".join(services[name]["healthcheck"]["test"])
        (path,) = re.findall(rf"http://127\.0\.0\.1:{port}(/[\w/]+)", check)
        assert resolve(path).view_name == asked
    assert services["proxy"]["depends_on"] == {"web": {"condition": "service_healthy"}}


def test_the_proxy_has_a_request_whole_and_takes_an_answer_off_gunicorns_hands() -> None:
    assert _nginx("proxy_request_buffering") == _nginx("proxy_buffering") == ["on"]
    for name in ("client_header_timeout", "client_body_timeout", "send_timeout", "keepalive_timeout"):
        (seconds,) = _nginx(name)
        assert 1 <= int(seconds.removesuffix("s")) <= 30, name
    assert _nginx("proxy_next_upstream") == ["off"], "what is sent twice is saved twice"


def test_what_waits_in_the_proxy_is_in_memory() -> None:
    (memory,) = _compose()["services"]["proxy"]["tmpfs"]
    assert memory.startswith("/var/cache/nginx:")
    assert _compose()["services"]["proxy"]["read_only"]
    for name in ("client_body_temp_path", "proxy_temp_path"):
        assert all(path.startswith("/var/cache/nginx/") for path in _nginx(name)), name


def test_the_proxy_writes_no_address_of_a_page_anywhere() -> None:
    """References may stand in one, and a line of its error log quotes the request."""
    assert _nginx("access_log") == ["off"]
    assert _nginx("error_log") == ["stderr emerg"]


def test_the_proxy_gives_what_has_none_the_headers_of_the_application() -> None:
    """In the server's own block alone: one with headers of its own would inherit none."""
    headers = {**HEADERS, **ONLY_TLS}
    assert len(re.findall(r"\badd_header\b", _text("docker/nginx.conf"))) == len(headers)
    for name, value in headers.items():
        variable = name.lower().replace("-", "_")
        assert _nginx(f"map $sent_http_{variable}") == [f'${variable} {{ "" "{value}"; }}']
        assert _nginx(f"add_header {name}") == [f"${variable} always"]
    assert _nginx("server_tokens") == ["off"]
    assert _nginx("proxy_pass_header") == ["Server"]


def test_the_proxy_tells_the_one_address_that_settings_believe() -> None:
    headers = dict(value.split(" ", 1) for value in _nginx("proxy_set_header"))
    assert headers["X-Forwarded-For"] == "$remote_addr"
    assert _nginx("real_ip_header") == ["X-Forwarded-For"]
    assert headers["X-Forwarded-Proto"] == "$http_x_forwarded_proto"
    assert headers["Host"] == "$http_host"
    assert {name for name, value in headers.items() if value == '""'} == {"X-Forwarded-Host", "Forwarded"}
    code = (
        "from django.conf import settings as given; "
        "print(given.ALLAUTH_TRUSTED_PROXY_COUNT, given.SECURE_PROXY_SSL_HEADER)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], **PRODUCTION, "DJANGO_SETTINGS_MODULE": "src_app.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "1 ('HTTP_X_FORWARDED_PROTO', 'https')"


def test_the_proxy_lets_through_what_a_page_takes_and_not_much_more() -> None:
    sizes = {int(size.removesuffix("m")) * 1024**2 for size in _nginx("client_max_body_size")}
    forms, files = sorted(sizes)
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE < forms <= 1.2 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert settings.MAX_UPLOAD_BYTES < files <= 1.2 * settings.MAX_UPLOAD_BYTES
    locations = {value.removesuffix(" {") for value in _nginx("location =")} - {"/told-by-the-proxy"}
    # A list of people is no larger than a form may be.
    of_extracts = settings.UPLOAD_PAGES.keys() - {"import_people"}
    assert {resolve(location).view_name for location in locations} == of_extracts


def test_one_address_has_only_so_many_requests_at_one_time() -> None:
    (limit,) = _nginx("limit_conn callers")
    # A station shares one address, and one caller is not to have every thread and the queue too.
    assert gunicorn_settings.threads * gunicorn_settings.workers <= int(limit) <= 64


def test_each_waits_longer_than_what_it_waits_for() -> None:
    statement = int(re.findall(r"statement_timeout=(\d+)s", _text("src_app/settings.py"))[0])
    assert statement < gunicorn_settings.graceful_timeout
    grace = int(_compose()["services"]["web"]["stop_grace_period"].removesuffix("s"))
    assert gunicorn_settings.graceful_timeout < grace
    (read,) = _nginx("proxy_read_timeout")
    assert 2 * statement < int(read.removesuffix("s"))
    (_, buffer) = _nginx("large_client_header_buffers")[0].split()
    assert gunicorn_settings.limit_request_field_size <= int(buffer.removesuffix("k")) * 1024


def _nginx(name: str) -> list[str]:
    """What docker/nginx.conf sets under that name, each time it does."""
    found = re.findall(rf"^\s*{re.escape(name)}\s+(.*?)\s*;?$", _text("docker/nginx.conf"), re.MULTILINE)
    assert found, name
    return found
