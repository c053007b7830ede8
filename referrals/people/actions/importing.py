"""People from a list: what would become of each row, and the saving of the good ones."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction

from referrals.models import Bcu, BcuMembership, Team, TeamMembership, Ward
from referrals.people.actions.people import add_person, change_name_or_address, change_role
from referrals.people.reading import HEADINGS, PeopleTable, PersonRow, read_people
from referrals.places.actions.membership import IN_BCUS, IN_TEAMS, move
from referrals.scope import today
from src_app.accounts.actions import checked_email, checked_name, checked_username
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.passwords import first_password
from src_app.accounts.roles import Permission, Role
from src_app.database import PLACES_LOCK, wait_for_advisory_lock
from src_app.refused import Refused

_SEPARATOR = ";"


@dataclass(frozen=True)
class Fate:
    """What would become of a row. ``says``: each thing that changes, or each reason why it is refused.

    ``given``: what the row asks for; of places their keys, or None where it leaves them as they are.
    """

    line: int
    username: str
    says: list[str]
    given: dict[str, Any]


@dataclass(frozen=True)
class PeoplePreview:
    """The fate of every row, and the rows as they came."""

    table: PeopleTable
    new: list[Fate] = field(default_factory=list)
    changed: list[Fate] = field(default_factory=list)
    same: list[Fate] = field(default_factory=list)
    refused: list[Fate] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Another one where any row would have another fate."""
        fates = [
            [asdict(fate) for fate in kind] for kind in (self.new, self.changed, self.same, self.refused)
        ]
        return sha256(json.dumps(fates).encode()).hexdigest()

    @property
    def to_save(self) -> int:
        """How many rows saving would do something for."""
        return len(self.new) + len(self.changed)

    @property
    def refused_rows(self) -> list[tuple[str, list[str]]]:
        """Of each refused row all that speaks against it, and its cells."""
        cells = {row.line: row.cells for row in self.table.rows}
        return [(f"Line {fate.line}: {' '.join(fate.says)}", cells[fate.line]) for fate in self.refused]


def preview_people(text: str) -> PeoplePreview:
    """What would become of each row, in a fixed number of queries; raises :class:`Refused`."""
    preview = PeoplePreview(read_people(text))
    known = _Known(preview.table.rows)
    for row in preview.table.rows:
        known.tell(row, preview)
    return preview


def import_people(*, text: str, seen: str, by: User, at: datetime) -> list[tuple[User, str]]:
    """Saves the good rows, all or none; returns who was added, each with the first password.

    ``seen``: the digest of the preview that was looked at. Raises :class:`Refused`, and where the fate of a
    row is another one by now.
    """
    check_authority(by, Permission.MANAGE_ACCOUNTS)
    with transaction.atomic():
        # Two lists at once would lock the same accounts, each in an order of its own.
        wait_for_advisory_lock(PLACES_LOCK)
        preview = preview_people(text)
        if preview.digest != seen:
            raise Refused("Something was changed after you looked: look through the list once more.")
        for fate in preview.changed:
            _change(fate, by, at)
        return [_add(fate, by, at) for fate in preview.new]


def _places(given: dict[str, Any]) -> dict[str, Any]:
    teams, bcus = given["teams"], given["bcus"]
    return {
        "teams": None if teams is None else list(Team.objects.filter(pk__in=teams)),
        "bcus": None if bcus is None else list(Bcu.objects.filter(pk__in=bcus)),
    }


def _add(fate: Fate, by: User, at: datetime) -> tuple[User, str]:
    password, given, places = first_password(), fate.given, _places(fate.given)
    user = add_person(
        username=fate.username,
        display_name=given["display_name"],
        role=Role(given["role"]),
        email=given["email"],
        password=password,
        is_drawn=True,
        teams=places["teams"] or [],
        bcus=places["bcus"] or [],
        by=by,
        at=at,
    )
    return user, password


def _change(fate: Fate, by: User, at: datetime) -> None:
    user, given = User.objects.get(username=fate.username), fate.given
    details = {"display_name": given["display_name"], "email": given["email"]}
    change_name_or_address(user=user, **details, by=by, at=at)
    change_role(user=user, role=Role(given["role"]), by=by)
    user.refresh_from_db()
    move(user=user, **_places(given), on=today(), by=by)


class _Known:
    """All accounts and places, read once; and what the rows before have asked for."""

    def __init__(self, rows: list[PersonRow]) -> None:
        self.users = {user.username: user for user in User.objects.all()}
        self.owners = {user.email: user.username for user in self.users.values() if user.email}
        self.listed: dict[str, int] = {}
        self.teams: dict[str, set[Team]] = defaultdict(set)
        for team in Team.objects.filter(closed_at__isnull=True).select_related("borough"):
            self.teams[team.name.casefold()].add(team)
            self.teams[f"{team}, {team.borough}".casefold()].add(team)
        for ward in Ward.objects.select_related("team__borough"):
            self.teams[ward.code.casefold()] = {ward.team}
        self.bcus = {bcu.code.casefold(): bcu for bcu in Bcu.objects.all()}
        self.places: dict[int, dict[str, dict[int, str]]] = defaultdict(lambda: {"teams": {}, "bcus": {}})
        usernames = [row.columns["username"].lower() for row in rows]
        day = today()
        for member in TeamMembership.objects.filter(
            TeamMembership.current(day), user__username__in=usernames
        ).select_related("team"):
            self.places[member.user_id]["teams"][member.team_id] = str(member.team)
        for of_bcu in BcuMembership.objects.filter(
            BcuMembership.current(day), user__username__in=usernames
        ).select_related("bcu"):
            self.places[of_bcu.user_id]["bcus"][of_bcu.bcu_id] = str(of_bcu.bcu)

    def tell(self, row: PersonRow, preview: PeoplePreview) -> None:
        """Puts the row's fate where it belongs."""
        refusals: list[str] = []
        given: dict[str, Any] = {}
        readers: dict[str, Callable[[str], Any]] = {
            "username": self._username,
            "display_name": checked_name,
            "role": _role,
            "email": checked_email,
            "team": self._teams,
            "bcu": self._bcus,
        }
        if len(row.cells) > len(preview.table.headings):
            refusals.append("The row has more cells than there are headings.")
        for column, read in readers.items():
            try:
                given[column] = read(row.columns[column])
            except Refused as refused:
                refusals.append(f"{HEADINGS[column]}: {refused}")
        if not refusals:
            refusals = self._against(given)
        username = row.columns["username"].lower()
        self.listed.setdefault(username, row.line)
        if refusals:
            preview.refused.append(Fate(row.line, username, refusals, {}))
            return
        self.owners[given["email"]] = username
        self._sort(row.line, given, preview)

    def _sort(self, line: int, given: dict[str, Any], preview: PeoplePreview) -> None:
        user = self.users.get(given["username"])
        places = {kind: given.pop(column) for kind, column in (("teams", "team"), ("bcus", "bcu"))}
        now = self.places[user.pk] if user else {"teams": {}, "bcus": {}}
        keys = {kind: sorted(place.pk for place in found or ()) for kind, found in places.items()}
        # A place that is the same already is left alone, and so is what is planned there.
        same = {
            kind: None for kind, found in places.items() if found is None or {*keys[kind]} == {*now[kind]}
        }
        asked = {**given, "role": given["role"].value, **keys, **same}
        if user is None:
            named = [str(place) for found in places.values() for place in found or ()]
            says = [given["display_name"], given["role"].label, *(named or ["Belongs nowhere yet"])]
            preview.new.append(Fate(line, given["username"], says, asked))
            return
        says = self._changes(user, given, places)
        (preview.changed if says else preview.same).append(Fate(line, user.username, says, asked))

    def _changes(self, user: User, given: dict[str, Any], places: dict[str, Any]) -> list[str]:
        says = []
        if user.display_name != given["display_name"]:
            says.append(f"Name: {given['display_name']}")
        if user.email != given["email"]:
            says.append(f"E-mail: {given['email']}")
        if user.role != given["role"]:
            says.append(f"Role: {given['role'].label}")
        allowed = {"teams": given["role"] in IN_TEAMS, "bcus": given["role"] in IN_BCUS}
        for kind, now in self.places[user.pk].items():
            wanted = {place.pk: str(place) for place in places[kind] or ()}
            if places[kind] is not None or not allowed[kind]:
                says += [f"Leaves {name}" for key, name in now.items() if key not in wanted]
            says += [f"Joins {name}" for key, name in wanted.items() if key not in now]
        return says

    def _against(self, given: dict[str, Any]) -> list[str]:
        """What speaks against the row as a whole."""
        user = self.users.get(given["username"])
        refusals = []
        if user is not None and not user.is_active:
            refusals.append(f"User name: {user.username} is closed: open the account on its page first.")
        if user is not None and user.role == Role.ADMINISTRATOR != given["role"]:
            refusals.append("Role: change the role of an administrator on their page.")
        if self.owners.get(given["email"], given["username"]) != given["username"]:
            refusals.append("E-mail: somebody else has this address: give the person's own.")
        if given["team"] and given["role"] not in IN_TEAMS:
            refusals.append("Team: only officers and supervisors belong to a team: leave it empty.")
        if given["bcu"] and given["role"] not in IN_BCUS:
            refusals.append(
                "BCU: only HCOPs, supervisors, trial leads and leaders belong to a BCU: leave it empty."
            )
        return refusals

    def _username(self, cell: str) -> str:
        username = checked_username(cell.lower())
        if username in self.listed:
            raise Refused(f"it stands in line {self.listed[username]} already: leave one of the two out.")
        if username in self.users and self.users[username].role == Role.SYSTEM:
            raise Refused("this is the account of the system: choose another.")
        return username

    def _teams(self, cell: str) -> list[Team] | None:
        return [self._team(name.strip()) for name in cell.split(_SEPARATOR) if name.strip()] or None

    def _team(self, name: str) -> Team:
        found = self.teams.get(name.casefold(), set())
        if len(found) != 1:
            several = "several teams are" if found else "no team is"
            raise Refused(f"{several} named {name[:60]}: give the code of one of the team's wards.")
        return next(iter(found))

    def _bcus(self, cell: str) -> list[Bcu] | None:
        return [self._bcu(code.strip()) for code in cell.split(_SEPARATOR) if code.strip()] or None

    def _bcu(self, code: str) -> Bcu:
        if code.casefold() not in self.bcus:
            known = ", ".join(sorted(bcu.code for bcu in self.bcus.values())) or "none yet"
            raise Refused(f"no BCU has the code {code[:20]}. Known: {known}.")
        return self.bcus[code.casefold()]


def _role(cell: str) -> Role:
    for role in Role:
        if role != Role.SYSTEM and cell.casefold() in (role.value, str(role.label).casefold()):
            return role
    words = ", ".join(role.value for role in Role if role != Role.SYSTEM)
    raise Refused(f"this is no role. Use one of: {words}.")
