"""Two recounts at the same moment."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from outcomes.rates.actions import recount
from referrals.models import ContactCount, Referral
from src_app.accounts.models import User
from src_app.audit.record import acting
from tests.patience import patience


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_is_mended_once(
    make_referral: Callable[..., Referral], officer: User, system: User, now: Any
) -> None:
    referral = make_referral()
    closed = {"closed_at": now, "closed_by": officer, "contacted_at": now, "status": "completed"}
    Referral.objects.filter(pk=referral.pk).update(**closed)
    assert sum(ContactCount.objects.values_list("in_time", flat=True)) == 1
    ContactCount.objects.all().delete()
    found: list[int] = []

    def again() -> None:
        try:
            with acting("test", by=None):
                found.append(recount(by=system))
        finally:
            connection.close()

    other = threading.Thread(target=again)
    with transaction.atomic():
        assert recount(by=system) == 1
        other.start()
        other.join(timedelta(seconds=1).total_seconds())
        assert other.is_alive()
    other.join(patience(120))
    assert found == [0]
    assert sum(ContactCount.objects.values_list("in_time", flat=True)) == 1
