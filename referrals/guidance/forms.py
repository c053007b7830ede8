"""Forms of briefings and of the banner."""

import re
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from referrals.guidance.readers import people_to_brief
from referrals.models import Briefing, TeamMembership
from referrals.scope import today
from src_app.accounts.models import User
from src_app.fields import DayField, LineField, MomentField

_MOST_NAMED = 5


class AttendanceForm(forms.Form):
    """Who was there: ticked, or in a list that is pasted."""

    names = forms.CharField(
        label="Paste a list",
        help_text="User names, or names as pages show them, one on each line.",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    people = forms.ModelMultipleChoiceField(label="Or tick", queryset=User.objects.none(), required=False)

    def __init__(self, *args: Any, by: User, briefing: Briefing | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own = {user.pk: user for user in people_to_brief(by, today())}
        field = cast("forms.ModelMultipleChoiceField[User]", self.fields["people"])
        field.queryset = User.objects.filter(pk__in=self.own)
        if briefing is not None:
            there = briefing.attendances.filter(user__in=self.own, was_there=True)
            self.initial = {"people": list(there.values_list("user_id", flat=True))}

    def clean_names(self) -> list[User]:
        """Those who are named; raises ValidationError with the names that nobody has."""
        named = [
            name for line in re.split(r"[\r\n;,\t]+", self.cleaned_data["names"]) if (name := line.strip())
        ]
        known: dict[str, list[User]] = {}
        for user in self.own.values():
            for name in {user.username.casefold(), user.display_name.casefold()}:
                known.setdefault(name, []).append(user)
        found = [known.get(name.casefold(), []) for name in named]
        unknown = [name for name, users in zip(named, found, strict=True) if len(users) != 1]
        if unknown:
            shown = ", ".join(f"“{name[:60]}”" for name in unknown[:_MOST_NAMED])
            more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
            is_nobody = "is nobody of your teams, or more than one"
            are_nobody = "are nobody of your teams, or more than one each"
            words = is_nobody if len(unknown) == 1 else are_nobody
            raise ValidationError(f"{shown}{more} {words}: give user names.")
        return [users[0] for users in found]

    @property
    def there(self) -> list[User]:
        """Everybody ticked or named, once; only of a valid form."""
        users = [*self.cleaned_data["people"], *self.cleaned_data["names"]]
        return list({user.pk: user for user in users}.values())

    @property
    def boroughs(self) -> list[tuple[str, list[tuple[User, bool]], int]]:
        """The people under the borough of one of their teams, whether each is ticked, and how many are."""
        ticked = {str(value) for value in self["people"].value() or []}
        current = TeamMembership.objects.filter(TeamMembership.current(today()), user__in=self.own)
        borough_of = dict(current.order_by("-pk").values_list("user_id", "team__borough__name"))
        found: dict[str, list[tuple[User, bool]]] = {}
        for key, user in self.own.items():
            found.setdefault(borough_of[key], []).append((user, str(key) in ticked))
        return [(name, rows, sum(is_ticked for _, is_ticked in rows)) for name, rows in sorted(found.items())]


class BriefingForm(AttendanceForm):
    """A session that was held."""

    title = LineField(
        label="What it was",
        help_text="Such as “Online session” or “Parade, Tooting”.",
        max_length=100,
        error_messages={"required": "Say what it was."},
    )
    held_on = DayField(label="Day", required_message="Give the day on which it was held.")

    field_order = ["title", "held_on", "names", "people"]


class BannerForm(forms.Form):
    """A sentence for everybody, and until when it stands."""

    text = LineField(
        label="What everybody is to know",
        help_text="One sentence. No victim, no case, no person.",
        max_length=200,
        error_messages={"required": "Write the sentence."},
    )
    ends_at = MomentField(
        label="Until",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"required": "Say until when it stands.", "invalid": "Give day and time."},
    )
