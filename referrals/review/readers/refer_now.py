"""Whether a decided case can be referred now, and what follows from it."""

from dataclasses import dataclass
from datetime import datetime

from referrals.cases.readers import report_of
from referrals.contact.readers.chosen_team import chosen_team, last_moved_by_hand
from referrals.deadlines.readers import deadlines_of_bcu, due_time
from referrals.models import (
    Allocation,
    Arm,
    Case,
    ContactBy,
    CrimeStatus,
    Decision,
    FoundNotSuitable,
    Referral,
    ReferralStatus,
    Team,
    TextKind,
    Ward,
)
from referrals.review.readers.linked import became
from referrals.review.readers.put_right import standing_finding
from referrals.rules.eligibility import warnings_of_record
from src_app.templatetags.words import moment


def why_not_refer(case: Case) -> str:
    """Why no referral of the case can be made now, in one sentence; empty where it can."""
    if case.decided_at is None:
        return "This case waits in the overnight review: decide it there."
    referral: Referral | None = getattr(case, "referral", None)
    if referral is not None and referral.status == ReferralStatus.OPEN:
        return f"{referral.number} is open already: {referral.team} has it, due {moment(referral.due_at)}."
    if case.crime_status != CrimeStatus.RECORDED:
        gone = warnings_of_record(report_of(case))[0]
        return f"{gone}: agree with the investigating officer who contacts the victim."
    if referral is not None and referral.status == ReferralStatus.COMPLETED:
        ask = f"{referral.team} spoke with the victim ({referral.number}): ask the team to ring again."
        return _found_not_suitable(case) or ask
    return ""


def why_not_ring_again(case: Case) -> str:
    """Why no team can be asked to ring the victim again, in one sentence; empty where one can."""
    referral: Referral | None = getattr(case, "referral", None)
    if referral is None or referral.status != ReferralStatus.COMPLETED:
        return why_not_refer(case) or "No team has spoken with the victim yet: refer now instead."
    if found := _found_not_suitable(case):
        return found
    if referral.team.working_team.closed_at is not None:
        team = referral.ward.team
        return (
            f"{referral.team} was closed, and no team took its work over: ask {team} yourself to ring again."
        )
    return "" if case.crime_status == CrimeStatus.RECORDED else why_not_refer(case)


def _found_not_suitable(case: Case) -> str:
    """That no team is to ring the victim, and who contacts them instead; empty where nobody found so."""
    found = standing_finding(case)
    if found is None:
        return ""
    return (
        f"{found.found_by} recorded on {moment(found.found_at)} that it was not suitable: {found.why}. "
        f"No team rings the victim. Contact: {found.get_contact_by_display()}."
    )


def home_ward(case: Case) -> Ward | None:
    """The ward of the victim's home, where it is one of the case's BCU: its team can be sent."""
    ward = case.ward
    return ward if ward is not None and ward.borough.bcu_id == case.bcu_id else None


@dataclass(frozen=True)
class ChosenTeam:
    """A team that was chosen by hand before, and why."""

    team: Team
    why: str


def chosen_before(case: Case) -> ChosenTeam | None:
    """The team that was chosen for the case before, and not by its ward: a refuge, a hotel, another BCU.

    In place of one that was merged into another, that other one.
    """
    referral: Referral | None = getattr(case, "referral", None)
    team = chosen_team(case, referral)
    if team is not None and team.closed_at is not None:
        team = team.merged_into
    if team is None:
        return None
    why = next((text.body for text in case.texts.all() if text.kind == TextKind.TEAM_REASON), "")
    moved = last_moved_by_hand(referral) if referral else None
    if moved is not None and moved.reason:
        why = moved.get_reason_display()
    return ChosenTeam(team, why)


@dataclass(frozen=True)
class Consequences:
    """What follows when the case is referred now, as the page says before it is done.

    ``decided``: what became of the case until now. ``record``: why the crime record says that it is no hate
    crime; empty for most. ``again``: the referral that is opened again, if one is.
    ``trial``: the one that the case is a control of, by name; empty for the others.
    """

    decided: str
    record: str
    again: str
    due_at: datetime
    trial: str


def consequences(case: Case, at: datetime) -> Consequences:
    """What follows for a case that can be referred now."""
    referral: Referral | None = getattr(case, "referral", None)
    allocation: Allocation | None = getattr(case, "allocation", None)
    return Consequences(
        decided=_decided(case, referral),
        record=", ".join(warnings_of_record(report_of(case))),
        again=referral.number if referral else "",
        due_at=due_time(deadlines_of_bcu(case.bcu_id, at).refer_now, at),
        trial=allocation.trial.name if allocation and allocation.arm == Arm.CONTROL else "",
    )


def _decided(case: Case, referral: Referral | None) -> str:
    if referral is not None:
        return f"{referral.number} was closed without contact: {referral.get_close_reason_display().lower()}."
    said: Decision | FoundNotSuitable | None = case.latest_finding or getattr(case, "decision", None)
    if said is None or (isinstance(said, Decision) and said.suitable):
        return "The victim gets usual service."
    contact = f"Found not suitable: {said.why}. Contact: {said.get_contact_by_display()}."
    if said.contact_by != ContactBy.OTHER_REPORT:
        return contact
    others = Case.objects.select_related("referral__team").filter(bcu=case.bcu_id)
    other = others.filter(crime_reference=said.duplicate_of).first()
    if other is None:
        return contact
    has: Referral | None = getattr(other, "referral", None)
    with_team = f" ({has.number}, {has.team})" if has else ""
    return f"{contact} {other.crime_reference}{with_team}: {became(other)}."
