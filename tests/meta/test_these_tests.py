"""The tests' own footing: what makes a mistake fail here must itself hold."""

import ast
import socket
import threading
from collections.abc import Iterator

import pytest
from celery import shared_task
from django.core.management.base import BaseCommand
from django.db import connection
from django.template import Context, Origin, Template
from django.test import Client
from django.urls import reverse
from pytest_socket import SocketConnectBlockedError

from referrals.models import Referral
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry, Purpose
from src_app.audit.record import NoOrigin, record
from src_app.database import runtime_role
from src_app.settings import BASE_DIR
from tests.factories import AuditEntryFactory, ReferralFactory
from tests.undefined import UndefinedVariable


def _role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def test_a_test_has_the_runtime_role_s_rights(db: None) -> None:
    assert _role() == runtime_role()


@pytest.mark.django_db(transaction=True)
def test_so_has_a_thread_of_a_test() -> None:
    found = []

    def look() -> None:
        found.append(_role())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [runtime_role()]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", ["first", "second"])
def test_after_a_test_with_real_transactions_append_only_tables_are_empty_and_rights_as_before(
    time: str,
) -> None:
    assert not AuditEntry.objects.exists()
    assert not Referral.objects.exists()
    assert _role() == runtime_role()
    AuditEntryFactory.create()
    ReferralFactory.create()


def _record() -> None:
    record(Action.RATES_COMPUTED, by=None, purpose=Purpose.EVALUATION, subject="rates")


def test_a_test_may_call_an_action(db: None) -> None:
    _record()
    assert AuditEntry.objects.get().origin == "test"


def test_a_command_that_does_not_say_where_it_comes_from_fails(db: None) -> None:
    class Command(BaseCommand):
        def handle(self, **_: object) -> None:
            _record()

    with pytest.raises(NoOrigin):
        Command().execute(force_color=False, no_color=False, skip_checks=True)


def test_so_does_a_task(db: None) -> None:
    task = shared_task(name="tests.record")(_record)
    with pytest.raises(NoOrigin):
        task()


def test_a_request_says_it_itself(db: None, auditor: User) -> None:
    client = Client()
    client.force_login(auditor)
    client.get(reverse("audit_list"))
    assert AuditEntry.objects.latest("pk").origin == "page audit_list"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{% if nothing %}a{% else %}b{% endif %}", "b"),
        ("{% for one in nothing %}{% endfor %}", ""),
        ("{{ something }}", "here"),
    ],
)
def test_what_a_template_may_ask_for(text: str, shown: str) -> None:
    origin = Origin(str(BASE_DIR / "templates" / "made_up.html"))
    assert Template(text, origin=origin).render(Context({"something": "here"})) == shown


@pytest.mark.parametrize("text", ["{{ nothing }}", "{{ something.nothing }}", "{{ nothing|upper }}"])
def test_an_undefined_variable_fails(text: str) -> None:
    origin = Origin(str(BASE_DIR / "templates" / "made_up.html"))
    with pytest.raises(UndefinedVariable, match="nothing"):
        Template(text, origin=origin).render(Context({"something": "here"}))


def test_a_library_s_template_may_ask_for_anything() -> None:
    assert Template("{{ nothing|default:'b' }}", origin=Origin("/library/a.html")).render(Context()) == "b"


def test_a_related_record_that_is_not_there_is_nothing(db: None) -> None:
    case = ReferralFactory.create().case
    origin = Origin(str(BASE_DIR / "templates" / "made_up.html"))
    template = Template("{% if case.allocation %}a{% else %}b{% endif %}", origin=origin)
    assert template.render(Context({"case": case})) == "b"


def test_a_connection_beyond_this_machine_is_refused() -> None:
    # An address set aside for documentation: nobody answers there. The warning before the error is one here.
    blocked = pytest.raises((SocketConnectBlockedError, UserWarning), match=r"192\.0\.2\.1")
    with socket.socket() as outward, blocked:
        outward.connect(("192.0.2.1", 80))


def _is_absence(test: ast.expr) -> bool:
    """Whether an assertion says only that something is not there: ``not in``, or ``not`` of anything."""
    if isinstance(test, ast.BoolOp):
        return all(_is_absence(value) for value in test.values)
    if isinstance(test, ast.Compare):
        return all(isinstance(operator, ast.NotIn) for operator in test.ops)
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)


def _asserts_absence_alone(function: ast.FunctionDef) -> bool:
    parts = list(ast.walk(function))
    if any(isinstance(part, ast.With) and "raises" in ast.unparse(part.items[0]) for part in parts):
        return False
    asserted = [part.test for part in parts if isinstance(part, ast.Assert)]
    return bool(asserted) and all(map(_is_absence, asserted))


def _tests_in(source: str) -> Iterator[ast.FunctionDef]:
    for part in ast.walk(ast.parse(source)):
        if isinstance(part, ast.FunctionDef) and part.name.startswith("test_"):
            yield part


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("assert 'a' not in page", True),
        ("assert 'a' not in page and not rows", True),
        ("assert not Case.objects.exists()", True),
        ("for word in words:\n  assert word not in page", True),
        ("assert 'a' not in page\n assert 'b' in page", False),
        ("assert response.status_code == 200\n assert 'a' not in page", False),
        ("with pytest.raises(Refused):\n  act()\n assert not Case.objects.exists()", False),
        ("act()", False),
    ],
)
def test_what_is_an_assertion_of_absence_alone(body: str, found: bool) -> None:
    [function] = _tests_in(f"def test_made_up():\n {body}")
    assert _asserts_absence_alone(function) == found


def test_no_test_of_a_page_says_only_what_is_not_on_it() -> None:
    """It would pass on a page that is refused, empty or broken: it must also say what is there."""
    sources = {path: path.read_text() for path in (BASE_DIR / "tests").rglob("test_*.py")}
    of_pages = {path: source for path, source in sources.items() if "django.urls import reverse" in source}
    assert len(of_pages) > 20
    assert [
        f"{path.relative_to(BASE_DIR)}:{function.lineno} {function.name}"
        for path, source in sorted(of_pages.items())
        for function in _tests_in(source)
        if _asserts_absence_alone(function)
    ] == []
