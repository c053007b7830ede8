"""Forms of the page of a trial's wards."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.utils import timezone

from referrals.models import Mode, Ward
from referrals.rules.trial.rollout import MOST_DAYS_BETWEEN, MOST_WARDS_A_STEP, Order
from src_app.fields import DayField

_ORDERS = {
    Order.BY_NAME: "By name",
    Order.AS_LISTED: "By code, as the protocol lists them",
    Order.DRAWN: "Drawn from the trial's seed, so that it can be proved after the reveal",
}


class _FromToday(forms.Form):
    """A form with a day on which something begins: today or later."""

    begins = ""

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = timezone.localdate(at)
        self.fields[self.begins].widget.attrs["min"] = self.today.isoformat()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if (day := cleaned.get(self.begins)) and day < self.today:
            self.add_error(self.begins, "This day is past: choose today or a later day.")
        return cleaned


class WardsForm(_FromToday):
    """Which wards get which mode, and from when."""

    begins = "starts_on"

    wards = forms.MultipleChoiceField(required=False)
    boroughs = forms.MultipleChoiceField(
        label="Or all wards of a borough", required=False, widget=forms.CheckboxSelectMultiple
    )
    mode = forms.TypedChoiceField(
        label="What happens there to a suitable case",
        coerce=Mode,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what happens to a suitable case."},
    )
    starts_on = DayField(
        label="From",
        help_text="Counts for cases reported on that day and after it.",
        required_message="Give the day from which it counts.",
    )

    def __init__(self, *args: Any, wards: Sequence[Ward], may_begin: bool, **kwargs: Any) -> None:
        """``wards``: those of the protocol; ``may_begin``: the trial can still take wards in."""
        super().__init__(*args, **kwargs)
        self.by_borough: dict[str, list[str]] = {}
        for ward in wards:
            self.by_borough.setdefault(ward.borough.name, []).append(ward.code)
        modes = [choice for choice in Mode.choices if may_begin or choice[0] != Mode.TRIAL]
        self._offer("wards", [(ward.code, ward.name) for ward in wards])
        self._offer("boroughs", [(name, f"{name} ({len(of)})") for name, of in self.by_borough.items()])
        self._offer("mode", [(value, _MODES[Mode(value)]) for value, _ in modes])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast(forms.ChoiceField, self.fields[name]).choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        whole = [code for name in cleaned.get("boroughs", []) for code in self.by_borough[name]]
        cleaned["codes"] = sorted({*cleaned.get("wards", []), *whole})
        if not cleaned["codes"]:
            self.add_error("boroughs", "Tick at least one ward or borough.")
        return cleaned


_MODES = {
    Mode.SRC_FOR_ALL: "SRC for all: each is referred",
    Mode.TRIAL: "Trial: each is allocated",
    Mode.NOT_STARTED: "Not started: each gets usual service",
}


class RollOutForm(_FromToday):
    """Step by step: when the first, how many wards a step, how long between, and in what order."""

    begins = "first_day"

    first_day = DayField(label="First step on", required_message="Give the day of the first step.")
    wards_a_step = forms.IntegerField(
        label="Wards a step",
        min_value=1,
        max_value=MOST_WARDS_A_STEP,
        error_messages={"required": "Give how many wards begin in each step."},
    )
    days_between = forms.IntegerField(
        label="Days from one step to the next",
        min_value=1,
        max_value=MOST_DAYS_BETWEEN,
        error_messages={"required": "Give the days from one step to the next."},
    )
    order = forms.TypedChoiceField(
        label="Which wards first",
        coerce=Order,
        choices=[(order.value, words) for order, words in _ORDERS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose which wards come first."},
    )

    @property
    def order_words(self) -> str:
        """The order that was chosen, as the middle of a sentence."""
        words = _ORDERS[self.cleaned_data["order"]]
        return words[:1].lower() + words[1:]
