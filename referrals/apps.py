from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as Advice
from django.utils import timezone

from referrals.rules.bank_holidays import list_ends_on

# The government says which days they are about two years ahead; the longest window is of 30 working days.
_LIST_REACHES = timedelta(days=365)


def bank_holidays_are_known(**_: Any) -> list[CheckMessage]:
    """A year ahead the list of bank holidays must be there: without it they count as working days."""
    ends_on = list_ends_on()
    if ends_on > timezone.localdate() + _LIST_REACHES:
        return []
    return [
        Advice(
            f"The list of bank holidays ends on {ends_on.isoformat()}: later ones count as working days.",
            hint="Run script/lock --upgrade-package govuk-bank-holidays, and install what it writes. Until "
            "then the administrator adds them on the page Deadlines.",
            id="referrals.W001",
        )
    ]


class ReferralsConfig(AppConfig):
    name = "referrals"

    def ready(self) -> None:
        from referrals.cases.readers import references_holding
        from src_app.audit import searched_references

        register(bank_holidays_are_known, Tags.compatibility)
        searched_references.FINDERS.append(references_holding)
