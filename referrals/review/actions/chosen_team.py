"""What a team has to be that the HCOP chooses for a case, where its ward cannot decide."""

from referrals.models import Case, Team, Ward
from referrals.places.readers import teams_to_pick_from
from src_app.refused import Refused


def place_of(case: Case, team: Team) -> Ward:
    """The ward under which a contact by the chosen team is counted: the first one that it covers, by code.

    Raises :class:`Refused` where the team cannot have the case.
    """
    if not teams_to_pick_from(case).filter(pk=team.pk).exists():
        raise Refused("That team is not in the BCU of this case: choose another.")
    return ward_served(team)


def ward_served(team: Team) -> Ward:
    """The first ward that the team covers, by code; raises :class:`Refused` where it covers none."""
    served = team.wards.select_related("team", "borough").order_by("code").first()
    if served is None:
        raise Refused("That team covers no ward: choose another.")
    return served


def refuse_without_reason(why: str) -> None:
    """Raises :class:`Refused` where nobody says why it is this team."""
    if not why.strip():
        raise Refused("Say why this team: for example refuge, hotel, or no fixed abode.")
