"""``recount``."""

import io
import json
from collections.abc import Callable

import pytest
from django.core.management import call_command

from referrals.models import ContactCount, Referral
from src_app.audit.models import Action, AuditEntry


def test_it_finds_every_count_right(make_referral: Callable[..., Referral]) -> None:
    make_referral(completed=True)
    out = io.StringIO()
    call_command("recount", stdout=out)
    assert out.getvalue() == "Every count and state is right.\n"
    assert not AuditEntry.objects.filter(action=Action.RATES_COMPUTED).exists()


def test_it_mends_a_wrong_one_says_so_and_ends_with_1(make_referral: Callable[..., Referral]) -> None:
    make_referral(completed=True)
    ContactCount.objects.update(in_time=7)
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("recount", json=True, stdout=out)
    assert ended.value.code == 1
    assert json.loads(out.getvalue()) == {"mended": 1}
    entry = AuditEntry.objects.get(action=Action.RATES_COMPUTED)
    assert (entry.origin, entry.subject) == ("command recount", "counts")
    call_command("recount", json=True, stdout=io.StringIO())
