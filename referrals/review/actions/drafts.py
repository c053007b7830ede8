"""Drafting decisions on overnight cases; nothing is final until the day is submitted."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from referrals.cases.actions import keep_text
from referrals.cases.readers import report_of
from referrals.contact.actions.notices import ask_hcop, give_notice
from referrals.contact.readers.referrals import is_to_contact
from referrals.models import (
    REFERRED_ANYWAY,
    Case,
    ContactBy,
    Decision,
    Noticed,
    Question,
    Reason,
    Referral,
    Restriction,
    Strand,
    Team,
    TextKind,
)
from referrals.review.actions.chosen_team import place_of, refuse_without_reason
from referrals.review.readers.linked import named_back, why_not_left_to
from referrals.rules.duplicates import why_no_duplicate
from referrals.rules.eligibility import ineligible_because
from referrals.scope import cases_visible_to
from src_app.accounts.guards import check_authority
from src_app.accounts.models import User
from src_app.accounts.roles import Permission
from src_app.audit.models import Action, Purpose
from src_app.audit.record import record
from src_app.refused import Refused
from src_app.templatetags.words import clock, moment


class Overtaken(Refused):
    """Somebody else decided this case first."""


class SafetyChanged(Overtaken):
    """Somebody set restrictions or the safety note meanwhile, at the moment ``at``; nothing was saved."""

    def __init__(self, case: Case) -> None:
        self.at = case.restrictions_set_at
        chosen = ", ".join(Restriction(value).label for value in case.restrictions)
        super().__init__(
            f"{case.restrictions_set_by} set restrictions or the note on {moment(self.at)}, now: "
            f"{chosen or 'no restrictions'}. Nothing of yours was saved: compare, and save again."
        )


class AnsweredBefore(Overtaken):
    """Somebody, or a later extract, answered a question first, and otherwise; nothing was saved."""

    def __init__(self, question: Question) -> None:
        super().__init__(
            f"\u201c{question.label}\u201d was answered meanwhile, and not as you did. "
            "Nothing of yours was saved: compare, and save again."
        )


def draft_suitable(*, case_id: int, version: int | None, by: User, at: datetime) -> Decision:
    """Marks the case suitable. ``version`` is the draft the person saw, ``None`` where there was none.

    Raises :class:`Overtaken` where somebody else was first, :class:`Refused` for what cannot be suitable.
    """
    with transaction.atomic():
        case = _lock(case_id, by)
        if reason := ineligible_because(report_of(case)):
            raise Refused(reason)
        return _draft(case, version, by, at, suitable=True)


def draft_not_suitable(
    *,
    case_id: int,
    version: int | None,
    reason: Reason,
    contact_by: ContactBy,
    duplicate_of: str = "",
    by: User,
    at: datetime,
) -> Decision:
    """Marks the case not suitable, with the reason and who will contact the victim instead.

    ``duplicate_of``: of a duplicate the crime reference of the other report, which may not be kept here.
    High risk, and asked for contact, always go to the neighbourhood team.
    """
    if reason in REFERRED_ANYWAY and contact_by != ContactBy.NEIGHBOURHOOD_TEAM:
        raise Refused("A case to be referred outside any trial goes to the neighbourhood team.")
    with transaction.atomic():
        case = _lock(case_id, by)
        refuse_no_duplicate(case, reason, duplicate_of)
        refuse_left_to_nobody(case, contact_by, duplicate_of)
        return _draft(
            case,
            version,
            by,
            at,
            suitable=False,
            reason=reason,
            contact_by=contact_by,
            duplicate_of=duplicate_of,
        )


def refuse_named_back(bcu_id: int, duplicates: Mapping[str, str]) -> None:
    """Raises :class:`Refused` where two reports are each a duplicate of the other, and none is referred."""
    if duplicates and (pairs := named_back(bcu_id, duplicates)):
        own, other = pairs[0]
        raise Refused(
            f"{own} and {other} are each said to be a duplicate of the other: decide which of the two is "
            "referred. Nothing was saved."
        )


def refuse_no_duplicate(case: Case, reason: Reason, duplicate_of: str) -> None:
    """Raises :class:`Refused` where a case cannot be a duplicate of what is named, or nothing is named."""
    if reason != Reason.DUPLICATE:
        return
    if why_not := why_no_duplicate(own=case.crime_reference, other=duplicate_of):
        raise Refused(why_not)
    refuse_named_back(case.bcu_id, {case.crime_reference: duplicate_of})


def refuse_left_to_nobody(case: Case, contact_by: ContactBy, duplicate_of: str) -> None:
    """Raises :class:`Refused` where the contact is left to another report that is none or gets no contact.

    Another report that is not kept here may get one: somebody then has the task to see to it.
    """
    if contact_by != ContactBy.OTHER_REPORT:
        return
    if not duplicate_of:
        raise Refused(
            "Only a duplicate leaves the contact to another report: choose who contacts the victim."
        )
    if why_not := why_not_left_to(case.bcu_id, duplicate_of):
        raise Refused(why_not)


def choose_team(
    *, case_id: int, version: int | None, team: Team, why: str, by: User, at: datetime
) -> Decision:
    """Gives the case to a team of the HCOP's choice, with the reason the ward cannot decide.

    It becomes suitable, unless it is marked to be referred outside any trial: then it stays so.
    """
    refuse_without_reason(why)
    with transaction.atomic():
        case = _lock(case_id, by)
        place_of(case, team)
        kept = _kept(case)
        outside = kept is not None and kept.referred_anyway
        if not outside and (reason := ineligible_because(report_of(case))):
            raise Refused(reason)
        keep_text(case=case, kind=TextKind.TEAM_REASON, body=why, at=at)
        if kept is not None and outside:
            return _draft(
                case,
                version,
                by,
                at,
                suitable=False,
                reason=kept.reason,
                contact_by=kept.contact_by,
                team=team,
            )
        return _draft(case, version, by, at, suitable=True, team=team)


def clear_draft(*, case_id: int, version: int | None, by: User, at: datetime) -> None:
    """Takes the mark off the case again, and the team chosen for it."""
    with transaction.atomic():
        case = _lock(case_id, by)
        decision = _seen(case, version)
        if decision is None:
            return
        decision.delete()
        keep_text(case=case, kind=TextKind.TEAM_REASON, body="", at=at)
        _record(Action.DECISION_CLEARED, case, by, ["decision"])


def set_safety(
    *,
    case_id: int,
    restrictions: Sequence[Restriction],
    note: str,
    seen: datetime | None,
    by: User,
    at: datetime,
) -> None:
    """Sets what the officer must and must not do, and a note.

    ``seen``: when they had last been set, as the page said. Raises :class:`SafetyChanged` where somebody has
    set them since, so that no restriction is taken off unread. Once the case is decided, the team that is to
    contact or ring its victim is told; where none is, the HCOPs are asked to look.
    """
    with transaction.atomic():
        case = _lock_any(case_id, by)
        referral = _lock_told_referral(case)
        fields = []
        if keep_text(case=case, kind=TextKind.REVIEW_SAFETY, body=note, at=at):
            fields.append(Noticed.REVIEW_SAFETY)
        if set(case.restrictions) != set(restrictions):
            fields.append(Noticed.RESTRICTIONS)
        if not fields:
            return
        if case.restrictions_set_at != seen:
            raise SafetyChanged(case)
        case.restrictions = sorted(restrictions)
        case.restrictions_set_at, case.restrictions_set_by = at, by
        case.save(update_fields=["restrictions", "restrictions_set_at", "restrictions_set_by"])
        # Whoever checks the day has not read this yet.
        Decision.objects.filter(case=case, submission__isnull=True).update(version=F("version") + 1)
        _record(Action.RESTRICTIONS_SET, case, by, fields)
        if referral is not None:
            give_notice(referral=referral, changed=fields, by=by, at=at)
        elif case.decided_at is not None:
            ask_hcop(changed={case: fields}, by=by, at=at)


def answer_questions(
    *,
    case_id: int,
    repeat_victim: bool | None = None,
    strands: Sequence[Strand] | None = None,
    looked_for_another_victim: bool = False,
    by: User,
    at: datetime,
) -> None:
    """Answers what the extract left open about a waiting case; what is None stays as it is.

    A mark that was made before is to be checked again, since what it rests on changed. Raises
    :class:`AnsweredBefore` for another answer than the case has to a question that it has no more.
    """
    with transaction.atomic():
        case = _lock(case_id, by)
        given: dict[Question, object] = {}
        if repeat_victim is not None:
            given[Question.REPEAT_VICTIM] = repeat_victim
        if strands is not None:
            given[Question.STRANDS] = [strand.value for strand in Strand if strand in strands]
        answered = {question.value for question in given if question in case.questions}
        for question, answer in given.items():
            if question not in case.questions and getattr(case, question.value) != answer:
                raise AnsweredBefore(question)
            setattr(case, question.value, answer)
        if looked_for_another_victim and Question.ANOTHER_VICTIM in case.questions:
            answered.add(Question.ANOTHER_VICTIM.value)
        if not answered:
            return
        case.questions = [question for question in case.questions if question not in answered]
        case.changed_at = at
        case.save(update_fields=["questions", "repeat_victim", "strands", "changed_at"])
        Decision.objects.filter(case=case).update(version=F("version") + 1)
        _record(Action.QUESTIONS_ANSWERED, case, by, sorted(answered))


def _lock_any(case_id: int, by: User) -> Case:
    """The case, locked; raises ``Case.DoesNotExist`` for one that is not theirs."""
    check_authority(by, Permission.REVIEW_CASES)
    return cases_visible_to(by).select_for_update(of=("self",)).get(pk=case_id)


def _lock_told_referral(case: Case) -> Referral | None:
    """The case's referral, locked, if its team is to contact the victim."""
    referrals = Referral.objects.filter(is_to_contact(), case=case)
    referral = referrals.select_related("team").select_for_update(of=("self",)).first()
    if referral is not None:
        referral.case = case
    return referral


def _lock(case_id: int, by: User) -> Case:
    """The case, locked and not yet decided; raises ``Case.DoesNotExist`` for one that is not theirs."""
    case = _lock_any(case_id, by)
    if case.decided_at is not None:
        raise Overtaken(
            f"{case.crime_reference} was submitted at {clock(case.decided_at)}: "
            "put the decision right from the page of the case."
        )
    return case


def _kept(case: Case) -> Decision | None:
    return Decision.objects.select_related("drafted_by", "team").filter(case=case).first()


def _seen(case: Case, version: int | None) -> Decision | None:
    """The draft there is, if it is the one the person saw; the case's lock makes the look safe."""
    decision = _kept(case)
    if decision is not None and decision.version != version:
        raise Overtaken(
            f"{decision.drafted_by} marked {case.crime_reference} {decision.mark} at "
            f"{clock(decision.drafted_at)}. Your mark was not saved: look again."
        )
    if decision is None and version is not None:
        raise Overtaken(
            f"Somebody took the mark off {case.crime_reference} meanwhile. "
            "Your mark was not saved: look again."
        )
    return decision


def _draft(
    case: Case,
    version: int | None,
    by: User,
    at: datetime,
    *,
    suitable: bool,
    reason: str = "",
    contact_by: str = "",
    duplicate_of: str = "",
    team: Team | None = None,
) -> Decision:
    kept = _kept(case)
    if kept and team is None and (suitable or reason in REFERRED_ANYWAY):
        team = kept.team
    wanted = (suitable, reason, contact_by, duplicate_of, team.pk if team else None)
    if kept and kept.drafted_by_id == by.pk and _content(kept) == wanted:
        return kept  # a double tap
    # A new draft starts anywhere, so that it is not taken for one that was looked at and taken off again.
    decision = _seen(case, version) or Decision(case=case, version=secrets.randbelow(2**30))
    if team is None:
        keep_text(case=case, kind=TextKind.TEAM_REASON, body="", at=at)
    decision.suitable, decision.reason, decision.contact_by = suitable, reason, contact_by
    decision.duplicate_of, decision.team = duplicate_of, team
    decision.drafted_by, decision.drafted_at = by, at
    decision.version += 1
    decision.save()
    _record(Action.DECISION_DRAFTED, case, by, ["suitable", "reason", "contact_by", "duplicate_of", "team"])
    return decision


def _content(decision: Decision) -> tuple[bool, str, str, str, int | None]:
    mark = (decision.suitable, decision.reason, decision.contact_by)
    return (*mark, decision.duplicate_of, decision.team_id)


def _record(action: Action, case: Case, by: User, fields: Sequence[str]) -> None:
    record(
        action,
        by=by,
        purpose=Purpose.REVIEW,
        subject="case",
        references=[case.crime_reference],
        fields=fields,
    )
