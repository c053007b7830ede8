"""What the administrator fills in about deadlines."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms

from referrals.deadlines.readers import Deadlines, Reminded, step_words
from referrals.models import MOST_ATTEMPTS, MOST_HOURS, MOST_WORKING_DAYS, REMINDER_HOURS, Bcu
from referrals.rules.deadlines import Window
from src_app.fields import DayField, LineField

_HOUR = timedelta(hours=1)
_STEPS = [(hours, step_words(hours * _HOUR)) for hours in REMINDER_HOURS]
_UNITS = [("hours", "hours, which pass at weekends too"), ("working_days", "working days")]
_MOST = {"hours": MOST_HOURS, "working_days": MOST_WORKING_DAYS}


class _Number(forms.IntegerField):
    def __init__(self, *, most: int, required_message: str, **options: Any) -> None:
        super().__init__(
            min_value=1,
            max_value=most,
            widget=forms.NumberInput(attrs={"class": "govuk-input--width-4", "inputmode": "numeric"}),
            error_messages={
                "required": required_message,
                "invalid": "Give a whole number.",
                "min_value": "Give 1 or more.",
                "max_value": f"Give {most} or less.",
            },
            **options,
        )


class _Clock(forms.TimeField):
    def __init__(self, **options: Any) -> None:
        super().__init__(
            widget=forms.TimeInput(format="%H:%M", attrs={"type": "time", "class": "govuk-input--width-10"}),
            error_messages={"required": "Give a time.", "invalid": "Give a time such as 17:00."},
            **options,
        )


def _unit() -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Counted in",
        choices=_UNITS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose hours or working days."},
    )


def _steps(label: str) -> forms.TypedMultipleChoiceField:
    return forms.TypedMultipleChoiceField(
        label=label, choices=_STEPS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )


class PolicyForm(forms.Form):
    """What a BCU asks of its teams from a day on."""

    bcu = forms.ModelChoiceField(
        label="BCU",
        queryset=Bcu.objects.order_by("name", "pk"),
        empty_label=None,
        error_messages={"required": "Choose the BCU."},
    )
    starts_on = DayField(
        label="Applies from",
        required_message="Give the day from which it applies.",
        help_text="Today or a later day. Due times that were given stay as they are.",
    )
    contact = _Number(
        label="Contact is due after", most=MOST_HOURS, required_message="Say how long a team has."
    )
    contact_unit = _unit()
    refer_now = _Number(
        label="When referred now, after", most=MOST_HOURS, required_message="Say how long a team has then."
    )
    refer_now_unit = _unit()
    day_ends = _Clock(label="A working day ends at", help_text="For what is counted in working days.")
    attempts_no_reply = _Number(
        label="Attempts before “No reply” may close a referral",
        most=MOST_ATTEMPTS,
        required_message="Say how many attempts are the least.",
    )
    attempts_wrong_details = _Number(
        label="Attempts before “No working contact details” may close one",
        most=MOST_ATTEMPTS,
        required_message="Say how many attempts are the least.",
    )
    remind_taker = _steps("Whoever has the referral")
    remind_mailbox = _steps("The team’s mailbox")
    remind_supervisor = _steps("The team’s supervisors")
    remind_hcop = _steps("The hate crime officers")
    quiet_from = _Clock(
        label="Quiet hours from",
        required=False,
        help_text="Reminders wait until they end. A new referral is told at once, always.",
    )
    quiet_until = _Clock(label="Quiet hours until", required=False)
    digest_at = _Clock(label="Morning digest at")
    decision_hours = _Number(
        label="Tell the inspector of a report that waits for a decision after",
        most=MOST_HOURS,
        required_message="",
        required=False,
        help_text="Hours. Empty: nobody is told.",
    )

    def clean(self) -> dict[str, Any]:
        """Quiet hours have two ends; working days are fewer than hours may be."""
        cleaned = super().clean() or {}
        for name in ("contact", "refer_now"):
            unit, number = cleaned.get(f"{name}_unit"), cleaned.get(name)
            if unit and number and number > _MOST[unit]:
                self.add_error(name, f"Give {_MOST[unit]} or less.")
        begins, ends = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if (begins is None) != (ends is None) and not {"quiet_from", "quiet_until"} & set(self.errors):
            self.add_error("quiet_until" if begins else "quiet_from", "Give both times, or leave both empty.")
        elif begins is not None and begins == ends:
            self.add_error("quiet_until", "Give another time than that at which they begin.")
        return cleaned

    @property
    def asked(self) -> dict[str, Any]:
        """As the policy has it."""
        cleaned = dict(self.cleaned_data)
        for name in ("bcu", "starts_on"):
            del cleaned[name]
        for name in ("contact", "refer_now"):
            unit, number = cleaned.pop(f"{name}_unit"), cleaned.pop(name)
            cleaned |= {f"{name}_{each}": number if each == unit else None for each in _MOST}
        return cleaned

    @staticmethod
    def begins_with(asked: Deadlines, bcu: Bcu, starts_on: date) -> dict[str, Any]:
        """What the form shows at first: what holds."""
        return {
            "bcu": bcu.pk,
            "starts_on": starts_on,
            **_window_of("contact", asked.contact),
            **_window_of("refer_now", asked.refer_now),
            "day_ends": asked.contact.day_ends,
            **{f"attempts_{reason}": number for reason, number in asked.least_attempts.items()},
            **_reminders_of(asked.reminders),
            "quiet_from": asked.quiet_from or "",
            "quiet_until": asked.quiet_until or "",
            "digest_at": asked.digest_at,
            "decision_hours": asked.decision_after // _HOUR if asked.decision_after else "",
        }


def _window_of(name: str, window: Window) -> dict[str, Any]:
    by_days = window.working_days
    return {
        name: by_days or window.passes // _HOUR,
        f"{name}_unit": "working_days" if by_days else "hours",
    }


def _reminders_of(reminders: Mapping[Reminded, tuple[timedelta, ...]]) -> dict[str, list[int]]:
    return {f"remind_{whom}": [step // _HOUR for step in reminders.get(whom, ())] for whom in Reminded}


class HolidayForm(forms.Form):
    """A bank holiday that was proclaimed late."""

    day = DayField(label="Day", required_message="Give the day of the bank holiday.")
    name = LineField(
        label="What it is called",
        max_length=100,
        help_text="Such as: Bank holiday for the coronation.",
        error_messages={"required": "Say what the bank holiday is called."},
    )
