"""``add_bank_holiday DAY NAME [--json]``."""

import json
from collections.abc import Callable
from datetime import datetime, time
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from referrals.models import BankHoliday, Referral
from referrals.rules.deadlines import LONDON
from tests.factories import NOW

pytestmark = pytest.mark.usefixtures("clock")


def test_it_moves_what_is_due_later_and_says_so(
    make_referral: Callable[..., Referral], capsys: pytest.CaptureFixture[str]
) -> None:
    due = {"due_at": datetime(2026, 11, 25, 17, tzinfo=LONDON)}
    referral = make_referral(counted_from=NOW, working_days=2, day_ends=time(17), **due)
    call_command("add_bank_holiday", "2026-11-24", "A day of thanks", "--json")
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert said == {"day": "2026-11-24", "moved": {referral.number: "2026-11-26T17:00:00+00:00"}}
    call_command("add_bank_holiday", "2026-12-01", "Another")
    assert capsys.readouterr().out == "Added. Due later: 0.\n"


def test_a_day_that_is_refused_is_exit_2(db: None) -> None:
    with pytest.raises(CommandError, match="on the list already") as refused:
        call_command("add_bank_holiday", "2026-12-25", "Christmas")
    assert refused.value.returncode == 2
    assert not BankHoliday.objects.exists()
