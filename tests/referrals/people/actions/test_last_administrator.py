"""Two administrators who close each other at the same moment: one of them stays."""

import threading

import pytest
from django.db import connection

from src_app.accounts.actions import close_account
from src_app.accounts.models import ClosedBecause, User
from src_app.audit.record import acting
from src_app.refused import Refused
from tests.factories import UserFactory


@pytest.mark.django_db(transaction=True)
def test_one_stays() -> None:
    first, second = UserFactory.create_batch(2, role="administrator")
    both = threading.Barrier(2)
    refused: list[str] = []

    def close(user: User, by: User) -> None:
        both.wait()
        try:
            with acting("test", by=by):
                close_account(user=user, because=ClosedBecause.LEFT, by=by)
        except Refused as error:
            refused.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=close, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert User.objects.filter(is_active=True, role="administrator").count() == 1
    assert len(refused) == 1
