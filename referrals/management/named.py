"""Places and people as an operator names them on the command line."""

from referrals.models import Bcu, Team, Trial
from referrals.scope import bcus_to_import_for, trials_to_export
from src_app.accounts.models import User
from src_app.refused import Refused


def person_named(username: str) -> User:
    """The account of that name; raises :class:`Refused`."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise Refused(f"There is no account {username}: check the user name.")
    return user


def team_named(text: str) -> Team:
    """The team that covers the ward of that code, or has that name; raises :class:`Refused`."""
    by_ward = Team.objects.filter(wards__code=text).first()
    if by_ward is not None:
        return by_ward
    named = list(Team.objects.filter(name__iexact=text, closed_at__isnull=True)[:2])
    if not named:
        raise Refused(f"No ward has the code and no team the name {text}: check it.")
    if len(named) > 1:
        raise Refused(f"Several teams are named {text}: give the code of one of the team's wards.")
    return named[0]


def bcu_of_code(code: str) -> Bcu:
    """The BCU of that code; raises :class:`Refused`, naming those there are."""
    bcu = Bcu.objects.filter(code=code).first()
    if bcu is None:
        known = ", ".join(Bcu.objects.order_by("code").values_list("code", flat=True)) or "none yet"
        raise Refused(f"No BCU has the code {code}. Known: {known}.")
    return bcu


def trial_named(by: User, name: str) -> Trial:
    """The trial of that name, to export; raises :class:`Refused`, naming those there are."""
    trials = trials_to_export(by).order_by("name")
    found = trials.filter(name=name).first()
    if found is None:
        known = ", ".join(trials.values_list("name", flat=True)) or "none yet"
        raise Refused(f"There is no trial {name}. Known: {known}.")
    return found


def bcu_to_import_for(by: User, code: str | None) -> Bcu:
    """The BCU of that code, or the only one there is; raises :class:`Refused`."""
    bcus = bcus_to_import_for(by).order_by("code")
    found = [bcu for bcu in bcus if code in (None, bcu.code)]
    if len(found) == 1:
        return found[0]
    if not bcus:
        raise Refused("There is no BCU yet: run load_reference_data first.")
    codes = ", ".join(bcu.code for bcu in bcus)
    if code is None:
        raise Refused(f"There are several BCUs: name one with --bcu ({codes}).")
    raise Refused(f"There is no BCU {code}: the codes are {codes}.")
