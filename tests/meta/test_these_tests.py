"""The tests' own footing: what makes a mistake fail here must itself hold."""

import socket
import threading

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
