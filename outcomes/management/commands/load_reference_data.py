"""Adds the reference data that is missing; safe to run again."""

from typing import Any

from django.core.management.base import BaseCommand

from outcomes.recording.reference import load_outcome_codes
from referrals.places.actions.wards import load_places
from src_app.accounts.models import User
from src_app.audit.record import acting


class Command(BaseCommand):
    """``load_reference_data``."""

    help = (
        "Adds missing wards, teams, modes and outcome codes. What people changed stays; run it again freely."
    )

    def handle(self, **options: Any) -> None:
        system = User.objects.system()
        with acting("command load_reference_data", by=system):
            wards = load_places(by=system)
            codes = load_outcome_codes(by=system)
        self.stdout.write(f"Wards added to: {wards}. Outcome codes added or changed: {codes}.")
