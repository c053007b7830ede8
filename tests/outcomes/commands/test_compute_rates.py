"""``compute_rates``."""

import io
import json

import pytest
from django.core.management import call_command

from outcomes.models import RateSnapshot
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World

pytestmark = pytest.mark.usefixtures("clock")


def test_it_says_how_many_rows_it_wrote_and_repeats_without_adding(world: World) -> None:
    out = io.StringIO()
    call_command("compute_rates", json=True, stdout=out)
    assert json.loads(out.getvalue()) == {"day": "2026-11-23", "rows": 9}
    call_command("compute_rates", stdout=out)
    assert out.getvalue().endswith("9 rows for 2026-11-23.\n")
    assert RateSnapshot.objects.count() == 9
    entry = AuditEntry.objects.filter(action=Action.RATES_COMPUTED).latest("pk")
    assert entry.origin == "command compute_rates"
