"""A quarter of an organisation's life: people join, leave, fall ill and move, and no referral is left alone.

With ``script/test --thorough`` it is 239 officers over 79 wards for 91 days; usually a part of them, for
twelve days.
"""

import random
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Exists, OuterRef
from django.utils import timezone

from referrals.contact.actions.absence import return_work
from referrals.contact.actions.attempts import log_attempt
from referrals.contact.actions.closing import close_without_contact
from referrals.contact.actions.taking import take
from referrals.contact.actions.transfer import transfer
from referrals.contact.readers.stranded import stranded_work
from referrals.models import (
    CloseReason,
    HandOverReason,
    Leave,
    Method,
    Referral,
    ReferralStatus,
    RefusingMailbox,
    Result,
    Team,
    TeamMembership,
    Ward,
)
from referrals.people.actions.people import add_person, close_person
from referrals.places.actions.leave import set_leave
from referrals.places.actions.membership import move
from referrals.places.actions.wards import load_places
from referrals.scope import today
from referrals.teams.actions.moves import carry_out_moves, merge_team, move_wards
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import ClosedBecause, User
from src_app.accounts.roles import Role
from src_app.refused import Refused
from tests.factories import (
    NOW,
    PASSWORD,
    BcuMembershipFactory,
    ReferralFactory,
    RefusingMailboxFactory,
    TeamMembershipFactory,
    UserFactory,
)
from tests.thorough import repeated

DAYS, OFFICERS, WARDS = repeated(12, 91), repeated(36, 239), repeated(12, 79)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


class Organisation:
    """Wards with their teams and officers, a supervisor for each borough, and the HCOP."""

    def __init__(self, clock: time_machine.Traveller, system: User) -> None:
        self.chance, self.clock, self.at = random.Random(49), clock, NOW
        load_places(by=system)
        self.system, self.seen = system, Counter[str]()
        self.wards = list(Ward.objects.order_by("pk")[:WARDS])
        teams = Team.objects.filter(wards__in=self.wards).order_by("pk")
        self.hcop = UserFactory.create(role=Role.HCOP)
        BcuMembershipFactory.create(user=self.hcop, bcu=self.wards[0].borough.bcu)
        for number in range(OFFICERS):
            user = UserFactory.create(email=f"officer{number}@example.police.uk")
            TeamMembershipFactory.create(user=user, team=teams[number % len(teams)])
        for borough in {ward.borough for ward in self.wards}:
            sergeant = UserFactory.create(role=Role.SUPERVISOR)
            for team in teams.filter(borough=borough):
                TeamMembershipFactory.create(user=sergeant, team=team)

    def tried(self, action: Callable[..., Any], **given: Any) -> Any:
        """What the action returns; nothing where it is refused, or the thing is out of sight."""
        try:
            done = action(**given)
        except (Refused, NotAllowed, ObjectDoesNotExist):
            return None
        self.seen[getattr(action, "__name__", "")] += 1
        return done

    def officers(self) -> list[User]:
        return list(User.objects.filter(role=Role.OFFICER, is_active=True).order_by("pk"))

    def team(self) -> Team:
        return self.chance.choice(list(Team.objects.filter(wards__in=self.wards).distinct().order_by("pk")))

    def open(self) -> list[Referral]:
        return list(Referral.objects.filter(status=ReferralStatus.OPEN).order_by("pk"))

    def live_a_day(self) -> None:
        """What happens from one morning to the next; the sweeps run after it as they do each half minute."""
        self.at += DAY
        self.clock.move_to(self.at)
        self.sweep()
        self.refer()
        self.change_people()
        self.change_places()
        self.work()
        self.sweep()

    def sweep(self) -> None:
        carry_out_moves(by=self.system, at=self.at)
        return_work(by=self.system, at=self.at)

    def refer(self) -> None:
        for _ in range(self.chance.randint(0, 6)):
            ward = Ward.objects.get(pk=self.chance.choice(self.wards).pk)
            ReferralFactory.create(case__ward=ward, made_at=self.at, due_at=self.at + 3 * DAY)

    def change_people(self) -> None:
        chance = self.chance
        sergeants = list(User.objects.filter(role=Role.SUPERVISOR).order_by("pk"))
        for user in chance.sample([*self.officers(), *sergeants], 4):
            back_on = today() + chance.randint(1, 14) * DAY
            self.tried(set_leave, user=user, starts_on=today(), back_on=back_on, by=user, at=self.at)
        leaver, mover = chance.sample(self.officers(), 2)
        if chance.random() < 0.3:
            self.tried(close_person, user=leaver, because=ClosedBecause.LEFT, by=self.system)
        if chance.random() < 0.4:
            self.tried(move, user=mover, teams=[self.team()], bcus=[], on=today(), by=self.system)
        if chance.random() < 0.3:
            name = f"joiner{self.at:%m%d}"
            places = {"teams": [self.team()], "bcus": [], "email": f"{name}@example.police.uk"}
            account = {"username": name, "display_name": name, "role": Role.OFFICER, "password": PASSWORD}
            self.tried(add_person, **account, **places, is_drawn=True, by=self.system, at=self.at)

    def change_places(self) -> None:
        chance, one, other = self.chance, self.team(), self.team()
        if chance.random() < 0.1:
            on = today() + chance.randint(0, 3) * DAY
            self.tried(merge_team, from_team=one, to_team=other, starts_on=on, by=self.system, at=self.at)
        elif chance.random() < 0.1:
            wards = list(one.wards.all()[:1])
            places = {"from_team": one, "wards": wards, "to_team": other, "starts_on": today()}
            self.tried(move_wards, **places, by=self.system, at=self.at)
        if chance.random() < 0.1 and not RefusingMailbox.objects.filter(address=other.mailbox).exists():
            RefusingMailboxFactory.create(address=other.mailbox, since=self.at)

    def work(self) -> None:
        """Officers take, attempt and close what they find; some of it waits."""
        for referral in self.chance.sample(self.open(), len(self.open()) // 2):
            people = list(User.objects.filter(pk__in=_who_can_act(referral)).order_by("pk"))
            if not people:
                continue
            officer = self.chance.choice(people)
            given = {"referral_id": referral.pk, "by": officer, "at": self.at}
            if self.chance.random() < 0.5:
                self.tried(take, **given)
            else:
                result = self.chance.choice([Result.NO_ANSWER, Result.DECLINED, Result.CONTACT_MADE])
                attempt = {"key": uuid.uuid4(), "method": Method.TELEPHONE, "made_at": self.at}
                self.tried(log_attempt, **given, **attempt, result=result)
                if result == Result.DECLINED:
                    self.tried(close_without_contact, **given, reason=CloseReason.DECLINED)

    def see_to_what_is_stranded(self) -> None:
        """The HCOP does what the panel asks: what a team cannot do goes to one that can."""
        panel = stranded_work(self.hcop)
        assert panel is not None
        for alone in panel.teams:
            for referral in Referral.objects.filter(team__name=alone.name, status=ReferralStatus.OPEN):
                ward = next(
                    ward
                    for ward in Ward.objects.select_related("team").order_by("pk")
                    if _at_work().filter(team=ward.team).exists()
                )
                given = {"referral_id": referral.pk, "seen": referral.ward_id, "ward": ward}
                self.tried(transfer, **given, reason=HandOverReason.NOBODY_FREE, by=self.hcop, at=self.at)


def _at_work() -> Any:
    """Memberships of officers and supervisors who are at work today."""
    away = Leave.objects.filter(Leave.current(today()), user=OuterRef("user"))
    roles = (Role.OFFICER, Role.SUPERVISOR)
    current = TeamMembership.objects.filter(TeamMembership.current(today()), ~Exists(away))
    return current.filter(user__is_active=True, user__role__in=roles)


def _who_can_act(referral: Referral) -> set[int]:
    """Whoever has it and is at work in its team; where nobody has it, everybody of the team at work."""
    team = set(_at_work().filter(team=referral.team_id).values_list("user_id", flat=True))
    return team if referral.taken_by_id is None else team & {referral.taken_by_id}


def _left_alone(organisation: Organisation) -> list[Referral]:
    return [referral for referral in organisation.open() if not _who_can_act(referral)]


def test_after_a_quarter_no_open_referral_is_without_somebody_who_can_act(
    clock: time_machine.Traveller, system: User
) -> None:
    organisation = Organisation(clock, system)
    for _ in range(DAYS):
        organisation.live_a_day()
        panel = stranded_work(organisation.hcop)
        assert panel is not None
        shown = {team.name for team in panel.teams}
        for referral in _left_alone(organisation):
            assert referral.taken_by_id is None, f"{referral} is with somebody who cannot see to it"
            assert referral.team.name in shown, f"{referral} of {referral.team} is nobody's, and not shown"
        refusing = set(RefusingMailbox.objects.filter(ended_at=None).values_list("address", flat=True))
        of_teams = set(Team.objects.filter(wards__in=organisation.wards).values_list("mailbox", flat=True))
        assert {mailbox.recipient for mailbox in panel.mailboxes} >= refusing & of_teams
        organisation.see_to_what_is_stranded()
    assert _left_alone(organisation) == []
    # Each of these things happened, and none was merely refused.
    for name in ("set_leave", "close_person", "move", "add_person", "take", "log_attempt", "merge_team"):
        assert organisation.seen[name], name
    assert timezone.localdate() == (NOW + DAYS * DAY).date()
