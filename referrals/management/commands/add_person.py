"""Makes an account and puts it where it belongs."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from referrals.management.named import bcu_of_code, team_named
from referrals.people.actions.people import add_person
from src_app.accounts.models import User
from src_app.accounts.passwords import first_password
from src_app.accounts.roles import Role
from src_app.audit.record import acting
from src_app.refused import Refused

_ROLES = [role.value for role in Role if role is not Role.SYSTEM]


class Command(BaseCommand):
    """``add_person USERNAME --name … --role …``: exit 0 when made, 2 for what cannot be."""

    help = (
        "Makes an account and prints its first password, once. The person changes it after the first sign-in."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="as pages show it: rank and shoulder number")
        parser.add_argument("--role", required=True, choices=_ROLES)
        parser.add_argument("--email", required=True, help="the work e-mail address")
        parser.add_argument(
            "--team", action="append", default=[], help="a ward's code or a team's name; may be repeated"
        )
        parser.add_argument("--bcu", action="append", default=[], help="a BCU's code; may be repeated")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from the first line of standard input",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, **options: Any) -> None:
        given = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else ""
        password = given if options["password_stdin"] else first_password()
        system = User.objects.system()
        try:
            with acting("command add_person", by=system), transaction.atomic():
                places = self._add(options, password, system)
        except Refused as refused:
            raise CommandError(str(refused), returncode=2) from refused
        result = {"username": options["username"], "role": options["role"], **places}
        if not options["password_stdin"]:
            result["password"] = password
        if options["json"]:
            self.stdout.write(json.dumps(result, indent=2))
            return
        self.stdout.write(f"Made {options['username']}, {Role(options['role']).label}.")
        for place in places["teams"] + places["bcus"]:
            self.stdout.write(f"Belongs to {place}.")
        if not options["password_stdin"]:
            self.stdout.write(f"First password, shown once: {password}")

    @staticmethod
    def _add(options: dict[str, Any], password: str, system: User) -> dict[str, list[str]]:
        teams = [team_named(text) for text in options["team"]]
        bcus = [bcu_of_code(code) for code in options["bcu"]]
        add_person(
            username=options["username"],
            display_name=options["name"],
            role=Role(options["role"]),
            email=options["email"],
            password=password,
            teams=teams,
            bcus=bcus,
            by=system,
            at=timezone.now(),
        )
        return {"teams": [team.name for team in teams], "bcus": [bcu.name for bcu in bcus]}
