"""Which digests somebody wants."""

from typing import Any, cast

from django import forms

from referrals.digests.readers import choices_of, kinds_for, teams_to_choose_for
from referrals.models import DigestKind, Team
from src_app.accounts.models import User


class DigestsForm(forms.Form):
    """What the account may choose, with what it has chosen."""

    kinds = forms.TypedMultipleChoiceField(
        label="To you",
        coerce=DigestKind,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    teams = forms.ModelMultipleChoiceField(
        label="Each weekday morning to the mailbox of your team",
        queryset=Team.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        chosen = list(choices_of(user))
        initial = {
            "kinds": [choice.kind for choice in chosen if choice.user_id],
            "teams": [choice.team_id for choice in chosen if choice.team_id],
        }
        super().__init__(*args, **{"initial": initial, **kwargs})
        kinds = cast(forms.TypedMultipleChoiceField, self.fields["kinds"])
        kinds.choices = [(kind.value, kind.label) for kind in kinds_for(user)]
        teams = teams_to_choose_for(user)
        if teams.exists():
            cast("forms.ModelMultipleChoiceField[Team]", self.fields["teams"]).queryset = teams
        else:
            del self.fields["teams"]
