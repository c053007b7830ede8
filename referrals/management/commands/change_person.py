"""Moves somebody between teams, closes an account, or gives back a sign-in that was lost."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from referrals.management.named import bcu_of_code, person_named, team_named
from referrals.models import Bcu, Team
from referrals.people.actions.people import close_person, give_new_sign_in, reopen_person
from referrals.places.actions.membership import (
    join_bcu,
    join_team,
    leave_bcu,
    leave_team,
)
from referrals.places.readers import with_somebody_away
from referrals.scope import bcus_of, teams_of, today
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.passwords import first_password
from src_app.audit.record import acting
from src_app.refused import Refused


class Command(BaseCommand):
    """``change_person USERNAME …``: exit 0 when done, 2 for what cannot be; then nothing is changed."""

    help = "Changes where somebody belongs from today on, closes the account, or resets how they sign in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        for name in ("--join-team", "--leave-team"):
            parser.add_argument(name, action="append", default=[], help="a ward's code or a team's name")
        for name in ("--join-bcu", "--leave-bcu"):
            parser.add_argument(name, action="append", default=[], help="a BCU's code")
        ending = parser.add_mutually_exclusive_group()
        ending.add_argument(
            "--close", action="store_true", help="nobody signs in any more, and the person belongs nowhere"
        )
        parser.add_argument(
            "--because",
            choices=ClosedBecause.values,
            default=ClosedBecause.OTHER.value,
            help="why it is closed",
        )
        ending.add_argument(
            "--reset",
            action="store_true",
            help="a new first password, shown once, and no second factor; opens a closed account again",
        )

    def handle(self, **options: Any) -> None:
        system = User.objects.system()
        password = first_password()
        try:
            with acting("command change_person", by=system), transaction.atomic():
                user = person_named(options["username"])
                self._change(user, options, password, system)
        except Refused as refused:
            raise CommandError(str(refused), returncode=2) from refused
        self._say(user, options, password)

    @staticmethod
    def _change(user: User, options: dict[str, Any], password: str, by: User) -> None:
        leaving_teams = [team_named(text) for text in options["leave_team"]]
        leaving_bcus = [bcu_of_code(code) for code in options["leave_bcu"]]
        if options["close"]:
            close_person(user=user, because=ClosedBecause(options["because"]), by=by)
            return
        for team in leaving_teams:
            leave_team(user=user, team=team, on=today(), by=by)
        for bcu in leaving_bcus:
            leave_bcu(user=user, bcu=bcu, on=today(), by=by)
        for text in options["join_team"]:
            join_team(user=user, team=team_named(text), starts_on=today(), by=by)
        for code in options["join_bcu"]:
            join_bcu(user=user, bcu=bcu_of_code(code), starts_on=today(), by=by)
        if options["reset"]:
            give_back = give_new_sign_in if user.is_active else reopen_person
            give_back(user=user, password=password, by=by, at=timezone.now())

    def _say(self, user: User, options: dict[str, Any], password: str) -> None:
        places: list[Team | Bcu] = [*teams_of(user), *bcus_of(user)]
        belongs = ", ".join(place.name for place in places) or "no team and no BCU"
        self.stdout.write(f"{user.username} is closed." if options["close"] else f"Belongs to {belongs}.")
        if options["reset"]:
            self.stdout.write(f"First password, shown once: {password}")
        taken = with_somebody_away(today()).filter(taken_by=user)
        for referral in taken.select_related("team").order_by("due_at"):
            self.stdout.write(
                f"{referral} goes back to {referral.team} within a minute, and the team is told."
            )
