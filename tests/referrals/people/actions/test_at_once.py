"""Two administrators who do something at the same moment."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from src_app.accounts.actions import close_account, make_account
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.roles import Role
from src_app.audit.record import acting
from src_app.refused import Refused
from tests.factories import NOW, PASSWORD, UserFactory
from tests.process_tree import wait_for


def _at_once(*acts: Callable[[], object]) -> list[str]:
    """Does all of them at one time; returns what was said of those that were refused."""
    together = threading.Barrier(len(acts))
    refused: list[str] = []

    def do(act: Callable[[], object]) -> None:
        together.wait()
        try:
            with acting("test", by=None):
                act()
        except Refused as error:
            refused.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


@pytest.mark.django_db(transaction=True)
def test_of_two_who_close_each_other_one_stays() -> None:
    first, second = UserFactory.create_batch(2, role="administrator")
    refused = _at_once(
        lambda: close_account(user=first, because=ClosedBecause.LEFT, by=second),
        lambda: close_account(user=second, because=ClosedBecause.LEFT, by=first),
    )
    assert User.objects.filter(is_active=True, role="administrator").count() == 1
    assert len(refused) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_add_the_same_person_the_second_is_told() -> None:
    by = UserFactory.create(role="administrator")

    def add() -> None:
        make_account(
            username="pc1",
            display_name="PC 1",
            role=Role.OFFICER,
            email="pc1@example.police.uk",
            password=PASSWORD,
            by=by,
            at=NOW,
        )

    refused: list[str] = []
    second = threading.Thread(target=lambda: refused.extend(_at_once(add)))
    with transaction.atomic():
        add()
        second.start()
        wait_for(_somebody_waits, "the second to wait for the first", 60)
    second.join()
    assert [words.partition(":")[0] for words in refused] == ["There is an account pc1 already"]
    assert User.objects.filter(username="pc1").count() == 1


def _somebody_waits() -> bool:
    """Whether another connection waits for what this one holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])
